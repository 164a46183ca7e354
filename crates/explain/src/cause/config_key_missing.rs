//! `config-key-missing`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.configuring() {
        let quote = case.text(
            container,
            &["couldn't find key", "could not find key", "not found in file", "non-existent config key", "non-existent secret key"],
        );
        if let Some(quote) = quote {
            found.push(explain(case, case.candidate(Cause::ConfigKeyMissing, Level::Container(rank), 93, High).of(container), quote));
        }
    }
    if case.setting_up()
        && let Some(quote) = case.pod_text(&["references non-existent config key", "references non-existent secret key"])
    {
        found.push(explain(
            case,
            case.candidate(Cause::ConfigKeyMissing, Level::Container(0), 93, High).of_some(case.only_container()),
            quote,
        ));
    }
}

fn explain(case: &Case<'_>, candidate: Candidate, quote: &Quote) -> Candidate {
    let key = quote
        .between("find key ", " in")
        .or_else(|| quote.between("environment variable key \"", "\""))
        .or_else(|| quote.between(" key: ", ""))
        .map(shown)
        .unwrap_or_default();
    let (kind, full) = [("configmap", "in configmap "), ("secret", "in secret ")]
        .iter()
        .find_map(|(kind, start)| Some((*kind, quote.between(start, "")?.split([' ', ',', '\'', '"']).next().unwrap_or_default())))
        .unwrap_or_default();
    let object = full.rsplit('/').next().unwrap_or_default();
    let (shown_kind, shown_object) = (if kind == "secret" { "Secret" } else { "ConfigMap" }, shown(object));
    let summary = if object.is_empty() {
        say!(
            case,
            "The ConfigMap or Secret exists but lacks the key {key} that the pod asks for.",
            "ConfigMap 或 Secret 存在，但缺少 Pod 要求的键 {key}。"
        )
    } else {
        say!(
            case,
            "The {shown_kind} `{shown_object}` exists but lacks the key `{key}`. The pod starts by itself as soon as it has it.",
            "{shown_kind} “{shown_object}” 存在，但缺少键“{key}”。补上之后 Pod 会自行启动。"
        )
    };
    candidate.quote(quote).say(summary).step(case.read(
        &["get", kind, object, "-o", "go-template={{range $key, $value := .data}}{{$key}}{{\"\\n\"}}{{end}}"],
        say!(case, "Lists the keys that it has.", "列出它现有的键。"),
    ))
}
