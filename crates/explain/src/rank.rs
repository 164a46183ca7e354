//! The best causes first, and those left out that stand only for an answer that is not there.

use crate::candidate::{Candidate, Level};
use crate::explanation::{Confidence, Explained};
use podsight_cause::{Cause, Group};
use serde_json::Value;

/// The most causes that are given.
const MOST: usize = 5;

/// From this weight on a cause is an answer, and guesses about the same thing go.
const ANSWER: u8 = 70;

/// Below this weight a cause is a guess.
const GUESS: u8 = 50;

/// Ranks what the matchers found. There is at least one cause, since one matcher always finds something.
pub(crate) fn rank(mut candidates: Vec<Candidate>, pod: &Value) -> Vec<Explained> {
    // The sort is stable, so that the order of the catalogue settles the rest.
    candidates.sort_by_key(|candidate| (candidate.level, std::cmp::Reverse(candidate.weight)));
    let all: Vec<(Level, u8, Cause)> =
        candidates.iter().map(|candidate| (candidate.level, candidate.weight, candidate.explained.cause)).collect();
    let any = |holds: &dyn Fn(Level, u8, Cause) -> bool| all.iter().any(|(level, weight, cause)| holds(*level, *weight, *cause));
    let answered = |group: Group| any(&|_, _, cause| cause.group() == group && !unseen(cause));
    let stopped = any(&|level, weight, cause| level == Level::Pod && weight >= ANSWER && cause.group() != Group::Normal);
    let abnormal = any(&|_, _, cause| !matches!(cause.group(), Group::Normal | Group::Unknown));
    let known = any(&|_, _, cause| cause != Cause::Unknown);
    candidates.retain(|candidate| {
        let (level, weight, cause) = (candidate.level, candidate.weight, candidate.explained.cause);
        // A fact that something went well is no rival of what went wrong.
        let well = matches!(cause, Cause::Healthy | Cause::Starting | Cause::Completed);
        match cause {
            Cause::Unknown => !known,
            Cause::ContainerConfigCauseUnseen => !answered(Group::Reference) && !answered(Group::Permission),
            Cause::ImagePullCauseUnseen => !any(&|other, answer, _| other == level && answer > weight),
            Cause::UnschedulableCauseUnseen => !answered(Group::Scheduling) && !answered(Group::Reference),
            // A stop of the whole pod explains how its containers ended.
            Cause::KillerUnknown => {
                !(stopped || any(&|other, answer, cause| other == level && answer >= ANSWER && cause != Cause::KillerUnknown))
            }
            Cause::ContainerRecordLost | Cause::StopGraceExceeded => !stopped,
            // A limit that leaves no room for the sandbox is its own answer.
            Cause::SandboxFailed => !any(&|_, weight, cause| cause == Cause::MemoryLimitBelowStart && weight >= ANSWER),
            _ if well => !abnormal,
            _ if weight < GUESS => !(stopped || any(&|other, answer, _| other == level && answer >= ANSWER)),
            _ => true,
        }
    });
    let mut causes: Vec<Explained> = Vec::new();
    for Candidate { explained, .. } in candidates {
        if causes.len() < MOST && !causes.iter().any(|other| other.cause == explained.cause) {
            causes.push(explained);
        }
    }
    warn(&mut causes, pod);
    causes
}

/// Whether a cause only says that the text is missing.
const fn unseen(cause: Cause) -> bool {
    matches!(cause, Cause::ContainerConfigCauseUnseen | Cause::ImagePullCauseUnseen | Cause::UnschedulableCauseUnseen)
}

/// Names the rules that find a cause in the pod's own spec, as `podsight check` and the webhook would have.
fn warn(causes: &mut [Explained], pod: &Value) {
    let predictable = |cause: &Explained| cause.confidence != Confidence::Low && cause.cause.group() != Group::Normal;
    if !causes.iter().any(predictable) {
        return;
    }
    let findings: Vec<_> = podsight_spec::workloads(pod).iter().flat_map(podsight_rules::check).collect();
    for cause in causes.iter_mut().filter(|cause| predictable(cause)) {
        for finding in findings.iter().filter(|finding| finding.predicts.contains(&cause.cause)) {
            let here = finding.container.is_none() || cause.container.is_none() || finding.container == cause.container;
            if here && !cause.warned_by.contains(&finding.rule) {
                cause.warned_by.push(finding.rule);
            }
        }
    }
}
