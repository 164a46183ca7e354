//! What a rule finds.

use podsight_cause::{Cause, Lang};

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// A bad habit; shown only with `--profile hygiene`.
    Hint,
    /// Fails on common set-ups.
    Likely,
    /// Fails everywhere.
    Certain,
}

/// One finding in one workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The id of the rule.
    pub rule: &'static str,
    /// How sure it is.
    pub certainty: Certainty,
    /// What the pod will come to.
    pub predicts: &'static [Cause],
    /// JSON pointer from the object to the value that is wrong.
    pub pointer: String,
    /// The container's name, where the finding is about one.
    pub container: Option<String>,
    /// What happens and why, in English: one sentence without the object's name.
    pub message_en: String,
    /// The same in Chinese.
    pub message_zh: String,
    /// What to write instead, in English.
    pub help_en: String,
    /// The same in Chinese.
    pub help_zh: String,
}

impl Finding {
    /// What happens and why.
    pub fn message(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.message_en,
            Lang::Zh => &self.message_zh,
        }
    }

    /// What to write instead.
    pub fn help(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.help_en,
            Lang::Zh => &self.help_zh,
        }
    }
}
