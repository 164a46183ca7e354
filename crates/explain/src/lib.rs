//! A pod, its events and its evidence as an explanation.
//!
//! [`explain`] is a pure function: it never fails, never panics, and the same input gives the same explanation. The stages, each in a
//! module of its own: [`Input`] → `Case` (the pod and all texts about it) → one matcher a cause → `Candidate`s → [`Explanation`].

/// Appends formatted text to a `String`, which cannot fail.
macro_rules! append {
    ($out:expr, $($format:tt)*) => {{
        use std::fmt::Write as _;
        $out.write_fmt(format_args!($($format)*)).unwrap_or_default();
    }};
}

pub mod exit_code;
pub mod reason;
pub mod render;
pub mod status;

mod candidate;
mod case;
mod cause;
mod container;
mod event;
mod explanation;
#[cfg(test)]
mod fixtures_test;
mod input;
mod killer;
#[cfg(test)]
mod kinds_test;
mod kubectl;
mod memory;
#[cfg(test)]
mod mends_test;
mod pod;
mod probe;
mod quote;
mod rank;
#[cfg(test)]
mod runs_test;
#[cfg(test)]
mod scenarios_test;
mod scheduler;
mod script;
#[cfg(test)]
mod signals_test;
#[cfg(test)]
mod texts_test;
mod timeline;
mod view;

pub use event::Event;
pub use explanation::{Confidence, Evidence, Explained, Explanation, Moment, Source, Step};
pub use input::Input;
pub use memory::KernelKills;

use candidate::Candidate;
use case::Case;

/// The most lines of a log that are given.
const LOG_LINES: usize = 20;

/// The most that the end of a run weighs where a new one is being set up.
const PAST_WEIGHT: u8 = 60;

/// Explains one pod. There is always at least one cause.
pub fn explain(input: &Input<'_>) -> Explanation {
    let case = Case::new(input);
    let mut candidates: Vec<Candidate> = Vec::new();
    let kind = view::View::text(input.pod, "kind");
    for (cause, matcher) in cause::MATCHERS {
        // What is no pod has no cause of a pod.
        if matches!(kind, "" | "Pod") || *cause == podsight_cause::Cause::Unknown {
            matcher(&case, &mut candidates);
        }
    }
    if case.pod.set_up_again() {
        // What is in the way now comes before how the last run ended.
        for candidate in candidates.iter_mut().filter(|candidate| candidate.explained.exit_code.is_some()) {
            candidate.weight = candidate.weight.min(PAST_WEIGHT);
        }
    }
    let causes = rank::rank(candidates, input.pod);
    let optional = |text: &str| Some(quote::bounded(text, 260)).filter(|text| !text.is_empty());
    Explanation {
        kind: if kind.is_empty() { "Pod".to_owned() } else { quote::bounded(kind, 100) },
        namespace: optional(case.pod.namespace),
        name: optional(case.pod.name),
        columns: status::columns(input.pod, input.server),
        over: case.pod.over(),
        log: log_of(input, &causes),
        timeline: timeline::timeline(&case),
        causes,
    }
}

/// The last lines of the log of the container that the first cause is about.
fn log_of(input: &Input<'_>, causes: &[Explained]) -> Vec<String> {
    let container = causes.first().and_then(|cause| cause.container.as_deref());
    let log = input.logs.iter().find(|(name, _)| container.is_none_or(|container| container == name));
    let lines: Vec<String> =
        log.map(|(_, log)| log.lines().rev().take(LOG_LINES).map(|line| quote::bounded(line, 300)).collect()).unwrap_or_default();
    lines.into_iter().rev().collect()
}
