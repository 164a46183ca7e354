//! A pod, its events and its evidence as an explanation.
//!
//! [`explain`] is a pure function: it never fails, never panics, and the same input gives the same explanation. The stages, each in a
//! module of its own: [`Input`] → `Case` (the pod and all texts about it) → one matcher a cause → `Candidate`s → [`Explanation`].

pub mod exit_code;
pub mod render;
pub mod status;

mod candidate;
mod case;
mod cause;
mod container;
mod event;
mod explanation;
mod input;
mod killer;
mod kubectl;
mod memory;
mod pod;
mod probe;
mod quote;
mod scheduler;
mod timeline;
mod view;

pub use event::Event;
pub use explanation::{Confidence, Evidence, Explained, Explanation, Moment, Source, Step};
pub use input::Input;
pub use memory::KernelKills;

use candidate::Candidate;
use case::Case;

/// The most causes that are given.
const MOST: usize = 5;

/// Explains one pod. There is always at least one cause.
pub fn explain(input: &Input<'_>) -> Explanation {
    let case = Case::new(input);
    let mut candidates: Vec<Candidate> = Vec::new();
    for (_, matcher) in cause::MATCHERS {
        matcher(&case, &mut candidates);
    }
    // The sort is stable, so that the order of the catalogue settles the rest.
    candidates.sort_by_key(|candidate| (candidate.level, std::cmp::Reverse(candidate.weight)));
    let mut causes: Vec<Explained> = Vec::new();
    for candidate in candidates {
        let explained = candidate.explained;
        if causes.len() < MOST && !causes.iter().any(|other| other.cause == explained.cause) {
            causes.push(explained);
        }
    }
    let optional = |text: &str| Some(quote::bounded(text, 260)).filter(|text| !text.is_empty());
    let kind = view::View::text(input.pod, "kind");
    Explanation {
        kind: if kind.is_empty() { "Pod".to_owned() } else { quote::bounded(kind, 100) },
        namespace: optional(case.pod.namespace),
        name: optional(case.pod.name),
        columns: status::columns(input.pod, input.server),
        timeline: timeline::timeline(&case),
        causes,
    }
}
