//! `container-config-cause-unseen`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.configuring() {
        let mut candidate =
            case.candidate(Cause::ContainerConfigCauseUnseen, Level::Container(rank), 40, Medium).of(container).fact(Case::fact(
                format!("{}/state/waiting", container.status_pointer),
                format!("CreateContainerConfigError: {}", shown(container.waiting_message)),
            ));
        for (pointer, reference) in references(container).into_iter().take(6) {
            candidate = candidate.fact(Case::fact(pointer, reference));
        }
        found.push(
            candidate
                .say(say!(case, "The kubelet cannot put the configuration of this container together, and the text that says why is not in this input. Look at each ConfigMap, Secret and key that it refers to, then at runAsNonRoot.", "kubelet 无法生成该容器的配置，而说明原因的文本不在这些输入中。请逐一检查它引用的 ConfigMap、Secret 和键，然后检查 runAsNonRoot。"))
                .step(case.read(&["get", "pod", case.pod.name, "-o", &format!("jsonpath={{.status.{}[*].state.waiting.message}}", container.status_list())], say!(case, "Shows the kubelet's message, which names the reference.", "显示 kubelet 的消息，其中会写明是哪个引用。"))),
        );
    }
}
