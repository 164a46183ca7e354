//! The catalogue of rules: a workload in, findings out.

mod finding;
mod rule;

pub use finding::{Certainty, Finding};
pub use rule::{RULES, Rule, rule};

use podsight_spec::Workload;

/// All findings of a workload, in the order of the catalogue and of the containers. The annotation `podsight.dev/ignore` is honoured.
pub fn check(_workload: &Workload<'_>) -> Vec<Finding> {
    Vec::new()
}
