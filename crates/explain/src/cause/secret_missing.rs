//! `secret-missing`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.configuring() {
        if let Some((quote, name)) = case.texts(container).iter().find_map(|quote| Some((quote, missing_object(quote, "secret")?))) {
            found.push(explain(
                case,
                case.candidate(Cause::SecretMissing, Level::Container(rank), 92, High).of(container).quote(quote),
                &name,
            ));
        }
    }
    if case.setting_up() {
        for quote in &case.pod_texts {
            if let Some(name) = missing_object(quote, "secret") {
                found.push(explain(
                    case,
                    case.candidate(Cause::SecretMissing, Level::Container(0), 92, High).of_some(case.only_container()).quote(quote),
                    &name,
                ));
                return;
            }
        }
        if let Some((quote, pointer, name)) = unmounted(case, &["secret"]) {
            let candidate = case
                .candidate(Cause::SecretMissing, Level::Container(0), 71, Medium)
                .of_some(case.only_container())
                .quote(quote)
                .fact(Case::fact(pointer, shown(&name)))
                .against(say!(
                    case,
                    "The event names the volume and not the reason: a kubelet that is slow to mount says the same.",
                    "事件只写了卷名而没有写原因：kubelet 挂载缓慢时也会这样说。"
                ));
            found.push(explain(case, candidate, &name));
        }
    }
}

fn explain(case: &Case<'_>, candidate: Candidate, name: &str) -> Candidate {
    let shown_name = shown(name);
    let place = place(case);
    candidate
        .say(say!(
            case,
            "The Secret `{shown_name}` does not exist{place}. The pod starts by itself as soon as it does.",
            "Secret “{shown_name}” 不存在{place}。创建之后 Pod 会自行启动。"
        ))
        .step(case.read(
            &["get", "secrets"],
            say!(case, "Lists the Secrets that do exist here (names only).", "列出这里已有的 Secret（只显示名称）。"),
        ))
        .step(case.read(
            &["get", "externalsecrets,certificates,sealedsecrets"],
            say!(case, "If an operator is meant to make it: shows whether it could.", "如果本应由某个 operator 生成：查看它是否成功。"),
        ))
}
