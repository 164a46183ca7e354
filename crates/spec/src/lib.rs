//! Manifests and AdmissionReviews as workloads with source positions: `Document → Workload`.

mod document;
mod workload;

pub use document::{Document, Position, Problem, read};
pub use workload::{Container, Role, Workload, workloads};
