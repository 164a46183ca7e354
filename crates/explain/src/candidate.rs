//! A cause that may hold, while its weight is being compared with others.

use crate::case::Case;
use crate::container::{Container, End};
use crate::explanation::{Confidence, Evidence, Explained, Step};
use crate::quote::Quote;
use podsight_cause::{Cause, Lang};

/// Chooses the text of the case's language and formats only that one.
macro_rules! say {
    ($case:expr, $en:literal, $zh:literal) => {
        match $case.lang {
            podsight_cause::Lang::En => format!($en),
            podsight_cause::Lang::Zh => format!($zh),
        }
    };
}
pub(crate) use say;

/// What a cause is about; the earlier explains the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// The pod as a whole was stopped, refused or never placed.
    Pod,
    /// The container of this rank among the troubled ones.
    Container(usize),
    /// Nothing is wrong, or nothing is known.
    Rest,
}

/// A cause with its weight.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) level: Level,
    /// How well it fits among those of its level: text that only this cause produces 90, what follows from facts 70, a guess 30.
    pub(crate) weight: u8,
    pub(crate) explained: Explained,
    lang: Lang,
}

impl Candidate {
    pub(crate) fn new(lang: Lang, cause: Cause, level: Level, weight: u8, confidence: Confidence) -> Self {
        let explained = Explained {
            cause,
            confidence,
            container: None,
            exit_code: None,
            killer: None,
            summary: String::new(),
            evidence: Vec::new(),
            against: Vec::new(),
            next: Vec::new(),
            warned_by: Vec::new(),
        };
        Self { level, weight, explained, lang }
    }

    /// Names the container.
    pub(crate) fn of(mut self, container: &Container<'_>) -> Self {
        if !container.name.is_empty() {
            self.explained.container = Some(container.name.to_owned());
        }
        self
    }

    pub(crate) fn of_some(self, container: Option<&Container<'_>>) -> Self {
        match container {
            Some(container) => self.of(container),
            None => self,
        }
    }

    /// Names the container that a stop of the whole pod ended, with its end; the only one where none has ended yet.
    pub(crate) fn ended(self, case: &Case<'_>) -> Self {
        let ended = case.troubled().find(|(_, container)| container.ended.as_ref().is_some_and(|end| !end.clean()));
        let Some((_, container)) = ended else {
            return self.of_some(case.only_container().filter(|container| !container.status.is_null()));
        };
        let named = self.of(container);
        match &container.ended {
            Some(end) => named.end(end).killer(),
            None => named,
        }
    }

    /// Takes the end of a container as evidence.
    pub(crate) fn end(mut self, end: &End<'_>) -> Self {
        self.explained.exit_code = end.code;
        self.explained.evidence.push(Case::fact(end.pointer.clone(), describe(end, self.lang)));
        self
    }

    /// Says that this cause ended the container.
    pub(crate) fn killer(mut self) -> Self {
        self.explained.killer = Some(self.explained.cause);
        self
    }

    pub(crate) fn killed_by(mut self, killer: Option<Cause>) -> Self {
        self.explained.killer = killer;
        self
    }

    pub(crate) fn quote(self, quote: &Quote) -> Self {
        self.fact(quote.evidence())
    }

    pub(crate) fn fact(mut self, evidence: Evidence) -> Self {
        if !self.explained.evidence.contains(&evidence) {
            self.explained.evidence.push(evidence);
        }
        self
    }

    pub(crate) fn facts(self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        evidence.into_iter().fold(self, Self::fact)
    }

    pub(crate) fn against(mut self, doubt: String) -> Self {
        self.explained.against.push(doubt);
        self
    }

    pub(crate) fn say(mut self, summary: String) -> Self {
        self.explained.summary = summary;
        self
    }

    /// Adds a step, where its names are known.
    pub(crate) fn step(mut self, step: Option<Step>) -> Self {
        self.explained.next.extend(step);
        self
    }
}

/// An end in few words.
pub(crate) fn describe(end: &End<'_>, lang: Lang) -> String {
    let mut words = Vec::new();
    let zh = lang == Lang::Zh;
    if !end.reason.is_empty() {
        words.push(format!("{} {}", if zh { "原因" } else { "reason" }, end.reason));
    }
    if let Some(code) = end.code {
        words.push(format!("{} {code}", if zh { "退出码" } else { "exit code" }));
    }
    if let Some(life) = end.life() {
        let life = crate::status::human_duration(life);
        words.push(if zh { format!("运行 {life}") } else { format!("ran {life}") });
    }
    if let Some(finished) = end.finished {
        words.push(format!("{} {finished}", if zh { "结束于" } else { "finished" }));
    }
    if words.is_empty() { if zh { "已终止" } else { "terminated" }.to_owned() } else { words.join(if zh { "，" } else { ", " }) }
}
