//! Findings as admission warnings, text and JSON.

pub mod warning;
