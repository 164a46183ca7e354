//! What a rule is.

use crate::{Certainty, Finding};
use podsight_cause::{Cause, Lang};
use podsight_spec::Workload;

/// One rule of the catalogue.
pub trait Rule: Sync {
    /// The id that users see, in kebab-case; it names the bad thing.
    fn id(&self) -> &'static str;
    /// How sure a finding is.
    fn certainty(&self) -> Certainty;
    /// What the pod will come to.
    fn predicts(&self) -> &'static [Cause];
    /// The page: Markdown with examples that are run by a test.
    fn page(&self) -> &'static str;
    /// One line for the list of rules.
    fn summary(&self, lang: Lang) -> &'static str;
    /// Looks at one workload. It cannot fail.
    fn check(&self, workload: &Workload<'_>, findings: &mut Vec<Finding>);
}

/// All rules, in the order of the catalogue.
pub static RULES: &[&dyn Rule] = &[];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static dyn Rule> {
    RULES.iter().copied().find(|rule| rule.id() == id)
}
