//! Findings as warnings of an admission response. Only this module knows their limits.

use podsight_rules::Finding;
use podsight_spec::Workload;

/// The warnings for one request: `Kind/name[container]: what happens and why [rule-id]`, at most five and then
/// `+N more: run podsight check`; each of at most 256 characters without control characters.
pub fn warnings(_workload: &Workload<'_>, _findings: &[Finding]) -> Vec<String> {
    Vec::new()
}
