//! Manifests and admission reviews as workloads with source positions: `Document → Workload`.

pub mod image_ref;
pub mod shell;

mod container;
mod document;
mod edit;
mod position;
mod quantity;
mod split;
mod template;
mod workload;

pub use container::{Container, EnvValue, Role};
pub use document::{Document, Position, Problem, read};
pub use edit::Edit;
pub use image_ref::{ImageError, ImageRef};
pub use quantity::{Quantity, QuantityError};
pub use workload::{RestartPolicy, Workload, workloads};
