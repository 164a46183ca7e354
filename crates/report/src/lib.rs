//! Findings for people and programs: admission warnings, text, JSON, SARIF, JUnit, GitHub annotations, Markdown.

pub mod fix;
pub mod github;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;
pub mod text;
pub mod warning;

mod report;

pub use report::{Excerpt, FileProblem, Item, Report};
