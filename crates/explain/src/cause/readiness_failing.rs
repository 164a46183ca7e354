//! `readiness-failing`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    if case.pod.deleting || case.pod.over() {
        return;
    }
    for (rank, container) in case.troubled() {
        if !container.running || container.ready || !matches!(container.role, Role::Main | Role::Sidecar) {
            continue;
        }
        let quote = case.text(container, &["readiness probe failed", "readiness probe errored"]);
        let probe = container.spec.get_or_null("readinessProbe");
        // Before the startup probe has passed the readiness probe does not even run.
        let booting = container.spec.get_or_null("startupProbe").is_object() && !container.status.is_true("started");
        if booting && quote.is_none() {
            continue;
        }
        let past = container.last.as_ref().is_some_and(|end| !end.clean());
        let name = named(case, container);
        let answer = quote.and_then(|quote| probe_answer(&quote.text)).map_or_else(String::new, |said| format!(" ({said})"));
        let mut candidate = case
            .candidate(
                Cause::ReadinessFailing,
                Level::Container(rank),
                if past && quote.is_none() {
                    35
                } else if past {
                    60
                } else {
                    80
                },
                if quote.is_some() || (probe.is_object() && !past) { High } else { Medium },
            )
            .of(container)
            .fact(Case::fact(format!("{}/ready", container.status_pointer), say!(case, "running, not ready", "运行中，未就绪")));
        if let Some(quote) = quote {
            candidate = candidate.quote(quote);
        }
        if probe.is_object() {
            candidate = candidate.fact(Case::fact(format!("{}/readinessProbe", container.spec_pointer), shown(&probe.to_string())));
        }
        let path = format!("{{.spec.{}[?(@.name==\"{}\")].readinessProbe}}", container.list(), container.name);
        // A spec that was read whole and names no probe has none.
        let summary = if quote.is_none() && !probe.is_object() && !container.spec.get_or_null("image").is_null() {
            say!(
                case,
                "{name} runs and is not ready, although its spec names no readiness probe: its kubelet has not reported since the start, or has gone silent.",
                "{name} 在运行但未就绪，而规约中没有就绪探针：kubelet 在启动之后还没有上报，或已失联。"
            )
        } else {
            say!(
                case,
                "{name} runs, but its readiness probe is not fulfilled{answer}: it gets no traffic from Services. Nothing is killed for that.",
                "{name} 在运行，但就绪探针没有通过{answer}：Service 不会把流量转给它。kubelet 不会因此杀死容器。"
            )
        };
        found.push(
            candidate
                .say(summary)
                .step(case.read(
                    &["get", "pod", case.pod.name, "-o", &format!("jsonpath={path}")],
                    say!(case, "Shows what is asked: port, path and command.", "查看探针的内容：端口、路径和命令。"),
                ))
                .step(case.read(
                    &["logs", case.pod.name, "-c", container.name, "--tail=50"],
                    say!(case, "Shows whether the program is still starting or waits for something.", "查看程序是否仍在启动或在等待什么。"),
                )),
        );
    }
    let gates: Vec<&str> =
        case.pod.spec.list("readinessGates").iter().map(|gate| gate.text("conditionType")).filter(|gate| !gate.is_empty()).collect();
    let ready = case.pod.condition("Ready").filter(|condition| condition.status == "False");
    let blocked = ready.filter(|condition| condition.reason == "ReadinessGatesNotReady" || (!gates.is_empty() && case.troubled.is_empty()));
    if let Some(condition) = blocked {
        let missing: Vec<&str> =
            gates.iter().copied().filter(|gate| case.pod.condition(gate).is_none_or(|condition| condition.status != "True")).collect();
        let names = shown(&missing.join(", "));
        found.push(
            case.candidate(Cause::ReadinessFailing, Level::Container(0), 78, High)
                .fact(Case::fact(condition.pointer.clone(), format!("Ready False {}: {}", condition.reason, condition.message)))
                .say(say!(case, "All containers are ready, but a readiness gate of the pod is not fulfilled: {names}. A controller outside the pod (a load balancer, for instance) has to set it.", "所有容器都已就绪，但 Pod 的就绪门控没有满足：{names}。需要由 Pod 之外的控制器（例如负载均衡器）来设置。"))
                .step(case.read(&["get", "pod", case.pod.name, "-o", "jsonpath={.spec.readinessGates} {.status.conditions}"], say!(case, "Shows the gates and the conditions that belong to them.", "显示门控及其对应的条件。"))),
        );
    }
}
