//! The words around an explanation, in both languages.

use crate::explanation::{Confidence, Explanation, Source};
use podsight_cause::Lang;

pub(super) struct Words {
    pub(super) because: &'static str,
    pub(super) but: &'static str,
    pub(super) next: &'static str,
    pub(super) changes: &'static str,
    pub(super) or: &'static str,
    pub(super) warned: &'static str,
    pub(super) ready: &'static str,
    pub(super) nameless: &'static str,
    pub(super) timeline: &'static str,
    pub(super) log: &'static str,
}

static ENGLISH: Words = Words {
    because: "Because",
    but: "But",
    next: "Next",
    changes: "changes something",
    or: "Or",
    warned: "podsight check finds this in the spec",
    ready: "ready",
    nameless: "(no name)",
    timeline: "What happened when",
    log: "Last lines of the log",
};

static CHINESE: Words = Words {
    because: "依据",
    but: "存疑",
    next: "下一步",
    changes: "会改变集群",
    or: "或者",
    warned: "podsight check 可在规约中发现此问题",
    ready: "就绪",
    nameless: "（无名）",
    timeline: "时间线",
    log: "日志末尾",
};

pub(super) const fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::En => &ENGLISH,
        Lang::Zh => &CHINESE,
    }
}

pub(super) const fn confidence(confidence: Confidence, lang: Lang) -> &'static str {
    match (confidence, lang) {
        (Confidence::High, Lang::En) => "sure",
        (Confidence::Medium, Lang::En) => "probable",
        (Confidence::Low, Lang::En) => "possible",
        (Confidence::High, Lang::Zh) => "确定",
        (Confidence::Medium, Lang::Zh) => "很可能",
        (Confidence::Low, Lang::Zh) => "有可能",
    }
}

pub(super) const fn source(source: Source, lang: Lang) -> &'static str {
    match (source, lang) {
        (Source::Pod, Lang::En) => "pod",
        (Source::Event, Lang::En) => "event",
        (Source::Kernel, Lang::En) => "kernel",
        (Source::Annotation, Lang::En) => "agent",
        (Source::Spec, Lang::En) => "spec",
        (Source::Pod, Lang::Zh) => "状态",
        (Source::Event, Lang::Zh) => "事件",
        (Source::Kernel, Lang::Zh) => "内核",
        (Source::Annotation, Lang::Zh) => "代理",
        (Source::Spec, Lang::Zh) => "规约",
    }
}

/// `namespace/name`, as far as they are known.
pub(super) fn title(explanation: &Explanation, lang: Lang) -> String {
    let name = explanation.name.as_deref().map_or_else(|| std::borrow::Cow::Borrowed(words(lang).nameless), super::clean);
    match &explanation.namespace {
        Some(namespace) => format!("{}/{name}", super::clean(namespace)),
        None => name.into_owned(),
    }
}
