//! `configmap-missing`

use super::object_missing::{self, Kind};
use super::prelude::*;

const KIND: Kind = Kind { cause: Cause::ConfigmapMissing, word: "configmap", volume: "configMap", vague_weight: 72, explain };

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    object_missing::find(case, found, &KIND);
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
