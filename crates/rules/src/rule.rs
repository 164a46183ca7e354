//! What a rule is.

use crate::{Certainty, Facts, Finding};
use podsight_cause::{Cause, Lang};
use podsight_spec::{Container, Workload};

/// One rule of the catalogue.
pub trait Rule: Sync {
    /// The id that users see, in kebab-case; it names the bad thing.
    fn id(&self) -> &'static str;
    /// The folder that the rule lies in.
    fn group(&self) -> &'static str;
    /// How sure its surest finding is.
    fn certainty(&self) -> Certainty;
    /// What the pod will come to.
    fn predicts(&self) -> &'static [Cause];
    /// The page: Markdown with examples that are run by a test.
    fn page(&self) -> &'static str;
    /// One line for the list of rules.
    fn summary(&self, lang: Lang) -> &'static str;
    /// Looks at one workload. It cannot fail.
    fn check(&self, subject: &Subject<'_>, findings: &mut Vec<Finding>);
}

/// What a rule looks at.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The object.
    pub workload: &'a Workload<'a>,
    /// Its containers in the order of the kubelet.
    pub containers: &'a [Container<'a>],
    /// What is known of other objects.
    pub facts: &'a dyn Facts,
}

impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Subject").field("workload", &self.workload).finish_non_exhaustive()
    }
}

/// Declares a rule: its page is the documentation of its type.
macro_rules! declare_rule {
    (
        $(#[doc = $page:literal])+
        $name:ident {
            id: $id:literal, group: $group:literal, certainty: $certainty:ident, predicts: [$($cause:ident),* $(,)?],
            en: $en:literal, zh: $zh:literal, check: $check:path $(,)?
        }
    ) => {
        $(#[doc = $page])+
        #[derive(Debug)]
        pub(crate) struct $name;

        impl $crate::Rule for $name {
            fn id(&self) -> &'static str {
                $id
            }

            fn group(&self) -> &'static str {
                $group
            }

            fn certainty(&self) -> $crate::Certainty {
                $crate::Certainty::$certainty
            }

            fn predicts(&self) -> &'static [podsight_cause::Cause] {
                &[$(podsight_cause::Cause::$cause),*]
            }

            fn page(&self) -> &'static str {
                concat!($($page, "\n"),+)
            }

            fn summary(&self, lang: podsight_cause::Lang) -> &'static str {
                match lang {
                    podsight_cause::Lang::En => $en,
                    podsight_cause::Lang::Zh => $zh,
                }
            }

            fn check(&self, subject: &$crate::Subject<'_>, findings: &mut Vec<$crate::Finding>) {
                $check(self, subject, findings);
            }
        }
    };
}

pub(crate) use declare_rule;
