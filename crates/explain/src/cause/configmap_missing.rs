//! `configmap-missing`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.configuring() {
        if let Some((quote, name)) = case.texts(container).iter().find_map(|quote| Some((quote, missing_object(quote, "configmap")?))) {
            found.push(explain(
                case,
                case.candidate(Cause::ConfigmapMissing, Level::Container(rank), 92, High).of(container).quote(quote),
                &name,
            ));
        }
    }
    if case.setting_up() {
        for quote in &case.pod_texts {
            if let Some(name) = missing_object(quote, "configmap") {
                let sole = case.only_container();
                found.push(explain(
                    case,
                    case.candidate(Cause::ConfigmapMissing, Level::Container(0), 92, High).of_some(sole).quote(quote),
                    &name,
                ));
                return;
            }
        }
        if let Some((quote, pointer, name)) = unmounted(case, &["configMap"]) {
            let candidate = case
                .candidate(Cause::ConfigmapMissing, Level::Container(0), 72, Medium)
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
            "The ConfigMap `{shown_name}` does not exist{place}. The pod starts by itself as soon as it does.",
            "ConfigMap “{shown_name}” 不存在{place}。创建之后 Pod 会自行启动。"
        ))
        .step(case.read(
            &["get", "configmaps"],
            say!(
                case,
                "Lists the ConfigMaps that do exist here: a typing error, or another namespace?",
                "列出这里已有的 ConfigMap：是名字写错，还是在别的命名空间？"
            ),
        ))
        .step(case.read_cluster(
            &["get", "configmaps", "-A", "--field-selector", &format!("metadata.name={name}")],
            say!(case, "Looks for it in other namespaces.", "在其他命名空间中查找。"),
        ))
}
