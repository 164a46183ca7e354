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
use podsight_cause::{Cause, Group};

/// Whether a cause only says that the text is missing.
const fn unseen(cause: Cause) -> bool {
    matches!(cause, Cause::ContainerConfigCauseUnseen | Cause::ImagePullCauseUnseen | Cause::UnschedulableCauseUnseen)
}

/// The most lines of a log that are given.
const LOG_LINES: usize = 20;

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
    // What stands for an answer that is not there goes where there is one.
    let answered =
        |group: Group| candidates.iter().any(|candidate| candidate.explained.cause.group() == group && !unseen(candidate.explained.cause));
    let (reference, image, scheduling) =
        (answered(Group::Reference), answered(Group::Image), answered(Group::Scheduling) || answered(Group::Reference));
    candidates.retain(|candidate| match candidate.explained.cause {
        Cause::ContainerConfigCauseUnseen => !reference,
        Cause::ImagePullCauseUnseen => !image,
        Cause::UnschedulableCauseUnseen => !scheduling,
        _ => true,
    });
    if candidates.len() > 1 {
        candidates.retain(|candidate| candidate.explained.cause != Cause::Unknown);
    }
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
