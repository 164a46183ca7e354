//! `probe-kill`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (killed, candidate) in killed(case, Cause::ProbeKill) {
        let container = killed.container;
        let name = named(case, container);
        let code = killed.end.code;
        let startup = killed
            .verdict
            .evidence
            .iter()
            .any(|evidence| evidence.text.to_lowercase().contains("startup probe") || evidence.pointer.ends_with("startupProbe"));
        let kind = match (startup, case.lang) {
            (true, Lang::En) => "startup",
            (false, Lang::En) => "liveness",
            (true, Lang::Zh) => "启动",
            (false, Lang::Zh) => "存活",
        };
        let ignored = code == Some(137);
        let answer = answer(&killed.verdict.evidence);
        let mut summary = say!(
            case,
            "The kubelet stopped {name} because its {kind} probe failed too often{answer}.",
            "{name} 的{kind}探针失败次数过多{answer}，kubelet 因此停止了它。"
        );
        if ignored {
            summary.push_str(&say!(
                case,
                " The process ignored SIGTERM, so it was killed (137) when the grace period ended: this is no memory kill.",
                "进程没有响应 SIGTERM，宽限期结束后被强制杀死（137）：这不是内存问题。"
            ));
        }
        let mut candidate = candidate.say(summary);
        if killed.verdict.confidence != High {
            let told = killed.verdict.evidence.iter().any(|evidence| evidence.source == Source::Event);
            candidate = candidate.against(if told {
                say!(case, "The event does not say for certain that it is about this run.", "事件无法确定说的就是这次运行。")
            } else {
                say!(
                    case,
                    "Told from the timing alone: the events that would prove it are gone or not in this input.",
                    "仅由时间推断：能证明它的事件已过期或不在输入中。"
                )
            });
        }
        let field = if startup { "startupProbe" } else { "livenessProbe" };
        let path = format!("{{.spec.{}[?(@.name==\"{}\")].{field}}}", container.list(), container.name);
        found.push(
            candidate
                .step(case.read(
                    &["get", "pod", case.pod.name, "-o", &format!("jsonpath={path}")],
                    say!(
                        case,
                        "Shows the probe: does it ask the right port and path, and does it wait long enough for the start?",
                        "查看探针：端口和路径对吗？留给启动的时间够吗？"
                    ),
                ))
                .step(case.logs(
                    container,
                    say!(case, "Shows what the program was busy with while the probe failed.", "查看探针失败时程序在忙什么。"),
                )),
        );
    }
}

/// What the probe got to hear, from the event `Unhealthy: Liveness probe failed: …`.
fn answer(evidence: &[crate::explanation::Evidence]) -> String {
    let said = evidence.iter().filter(|evidence| evidence.source == Source::Event).find_map(|evidence| probe_answer(&evidence.text));
    said.map_or_else(String::new, |said| format!(" ({said})"))
}
