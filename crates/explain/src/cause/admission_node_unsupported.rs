//! `admission-node-unsupported`

use super::prelude::*;

const REASONS: [&str; 11] = [
    "SysctlForbidden",
    "AppArmor",
    "PodOSNotSupported",
    "PodOSSelectorNodeLabelDoesNotMatch",
    "PodFeatureUnsupported",
    "PodLevelResourcesNotSupported",
    "SupplementalGroupsPolicyNotSupported",
    "InitContainerRestartPolicyForbidden",
    "UserNamespacesNotSupported",
    "NoNewPrivs",
    "FailedNodeDeclaredFeaturesCheck",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let event = case.event(&["FailedNodeDeclaredFeaturesCheck"], None);
    let reason = case.pod.reason.as_str();
    if !REASONS.contains(&reason) && event.is_none() {
        return;
    }
    let node = node_name(case);
    let message = shown(case.pod.message);
    let mut candidate = case.candidate(Cause::AdmissionNodeUnsupported, Level::Pod, 96, High);
    if reason.is_empty() {
        candidate = candidate.facts(event.map(|event| event_quote(event).evidence()));
    } else {
        candidate = candidate.fact(Case::fact("/status/reason", format!("{reason}: {message}")));
    }
    for (place, sysctl) in case.pod.spec.get_or_null("securityContext").list("sysctls").iter().enumerate() {
        candidate = candidate.fact(Case::fact(format!("/spec/securityContext/sysctls/{place}"), shown(sysctl.text("name"))));
    }
    let what = match reason {
        "SysctlForbidden" => say!(
            case,
            "a sysctl that is not on its list of allowed ones (kubelet --allowed-unsafe-sysctls)",
            "不在其允许列表中的 sysctl（kubelet --allowed-unsafe-sysctls）"
        ),
        "AppArmor" => say!(case, "an AppArmor profile that cannot be enforced there", "无法在该节点生效的 AppArmor 配置"),
        "PodOSNotSupported" | "PodOSSelectorNodeLabelDoesNotMatch" => say!(case, "another operating system", "另一种操作系统"),
        _ => say!(case, "a feature that this node is too old for or has switched off", "该节点过旧或已关闭的功能"),
    };
    found.push(
        candidate
            .say(say!(case, "The node{node} refused the pod because it asks for {what}.", "节点{node}拒绝了该 Pod，因为它要求{what}。"))
            .step(case.read_cluster(
                &[
                    "get",
                    "node",
                    case.pod.node,
                    "-o",
                    "jsonpath={.status.nodeInfo.kubeletVersion} {.status.nodeInfo.operatingSystem} {.status.nodeInfo.kernelVersion}",
                ],
                say!(case, "Shows version and system of the node.", "显示节点的版本和系统。"),
            )),
    );
}
