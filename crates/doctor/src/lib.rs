//! Looks at an installation of podsight and says what is wrong or risky.
//!
//! Whoever reads the cluster gives the objects as they are; each file here judges one part of them. What could not be read is not
//! judged, and said so.

mod agent;
mod certificate;
mod finding;
mod guard;
mod render;
mod seen;
mod webhook;

pub use finding::{Check, Finding, Level};
pub use render::{Verdict, json, text};
pub use seen::{Read, Seen};

/// Everything that is wrong or risky: wrong first, in the order of the checks.
pub fn judge(seen: &Seen) -> Vec<Finding> {
    let mut findings = Vec::new();
    webhook::judge(seen, &mut findings);
    certificate::judge(seen, &mut findings);
    guard::judge(seen, &mut findings);
    agent::judge(seen, &mut findings);
    findings.sort_by_key(|finding| (finding.check.level(), finding.check));
    findings
}
