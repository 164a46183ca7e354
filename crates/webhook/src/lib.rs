//! The admission webhook: it reads `AdmissionReviews`, lets the rules look at what they hold and answers with warnings.
//!
//! It is never in the cluster's way: what it cannot read, has no time for or fails at is allowed, and counted.

pub mod certificates;
pub mod config;
pub mod events;
pub mod history;
pub mod metrics;

mod answer;
mod args;
mod facts;
mod gate;
mod limits;
mod mutate;
mod object;
mod reports;
mod review;
mod run;
mod selector;
mod self_check;
mod server;
mod watches;

pub use answer::{Answer, Outcome};
pub use args::Args;
pub use limits::BODY_MAX_BYTES;
pub use reports::write_reports;
pub use run::run;
pub use selector::Labels;
pub use self_check::self_check;
pub use server::{Check, NamespaceLabels, Webhook, check};
