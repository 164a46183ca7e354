//! What a rule finds.

use crate::Rule;
use podsight_cause::{Cause, Lang};
use podsight_spec::Container;

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

impl Certainty {
    /// The name that users see.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }

    /// The certainty with this name.
    pub fn from_id(id: &str) -> Option<Self> {
        [Self::Hint, Self::Likely, Self::Certain].into_iter().find(|certainty| certainty.id() == id)
    }
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
    /// The change that mends it, where there is one safe answer.
    pub fix: Option<Fix>,
}

/// A change that mends what was found: a scalar of the object becomes another, and nothing else changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// JSON pointer from the object to the value.
    pub pointer: String,
    /// The text that it becomes; `None`: what is written there, in quotes.
    pub text: Option<String>,
}

impl Finding {
    /// A finding of a rule at a value, as sure as the rule is, that predicts what the rule predicts.
    pub fn new(rule: &dyn Rule, pointer: String) -> Self {
        Self {
            rule: rule.id(),
            certainty: rule.certainty(),
            predicts: rule.predicts(),
            pointer,
            container: None,
            message_en: String::new(),
            message_zh: String::new(),
            help_en: String::new(),
            help_zh: String::new(),
            fix: None,
        }
    }

    /// It is about this container.
    #[must_use]
    pub fn within(mut self, container: &Container<'_>) -> Self {
        self.container = container.name.map(str::to_owned);
        self
    }

    /// It is no surer than this.
    #[must_use]
    pub fn at_most(mut self, certainty: Certainty) -> Self {
        self.certainty = self.certainty.min(certainty);
        self
    }

    /// It predicts just these causes.
    #[must_use]
    pub fn predicting(mut self, causes: &'static [Cause]) -> Self {
        self.predicts = causes;
        self
    }

    /// What happens and why: one sentence without the object's name, without a full stop.
    #[must_use]
    pub fn saying(mut self, en: impl Into<String>, zh: impl Into<String>) -> Self {
        self.message_en = en.into();
        self.message_zh = zh.into();
        self
    }

    /// What to write instead.
    #[must_use]
    pub fn helped_by(mut self, en: impl Into<String>, zh: impl Into<String>) -> Self {
        self.help_en = en.into();
        self.help_zh = zh.into();
        self
    }

    /// The value that it is about becomes this text, where there is one.
    #[must_use]
    pub fn fixed_by(mut self, text: Option<String>) -> Self {
        self.fix = text.map(|text| Fix { pointer: self.pointer.clone(), text: Some(text) });
        self
    }

    /// The value that it is about is put in quotes.
    #[must_use]
    pub fn fixed_by_quotes(mut self) -> Self {
        self.fix = Some(Fix { pointer: self.pointer.clone(), text: None });
        self
    }

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
