//! `unschedulable-placement-rule`

use super::prelude::*;

const SAYS: [&str; 19] = [
    "matchinterpodaffinity",
    "podfitshostports",
    "nodiskconflict",
    "novolumezoneconflict",
    "maxvolumecount",
    "novolumenodeconflict",
    "free ports for the requested pod ports",
    "anti-affinity",
    "pod affinity rules",
    "pod affinity",
    "topology spread constraints",
    "volume node affinity conflict",
    "persistentvolume's node affinity",
    "available volume zone",
    "max volume count",
    "readwriteoncepod",
    "inter-pod affinity",
    "no available disk",
    "volume zone",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let Some((quote, weight, reasons)) = scheduling(case, &SAYS, &[]) else { return };
    let step = if quote.has(&["volume"]) {
        case.read(
            &["get", "pvc", "-o", "wide"],
            say!(
                case,
                "Shows the claims and their volumes; the zone of a volume is in its node affinity.",
                "显示 PVC 及其卷；卷所在的可用区写在卷的节点亲和性中。"
            ),
        )
    } else {
        case.read_cluster(
            &["get", "pods", "-A", "-o", "wide"],
            say!(case, "Shows which pods hold the places.", "查看哪些 Pod 占用了位置。"),
        )
    };
    let mut candidate = case.candidate(Cause::UnschedulablePlacementRule, Level::Pod, weight, High).quote(quote);
    for (pointer, rule) in rules(case) {
        candidate = candidate.fact(Case::fact(pointer, shown(&rule)));
    }
    found.push(
        candidate
            .say(say!(
                case,
                "Pods or volumes already in place exclude every node: {reasons}.",
                "现有的 Pod 或卷使所有节点都无法使用：{reasons}。"
            ))
            .step(step),
    );
}

/// The rules of the pod that have to do with other pods.
fn rules(case: &Case<'_>) -> Vec<(String, String)> {
    let spec = case.pod.spec;
    let affinity = ["podAffinity", "podAntiAffinity"].into_iter().map(|key| {
        let rule = spec.get_or_null("affinity").get_or_null(key).get_or_null("requiredDuringSchedulingIgnoredDuringExecution");
        (format!("/spec/affinity/{key}/requiredDuringSchedulingIgnoredDuringExecution"), rule)
    });
    let spread = [("/spec/topologySpreadConstraints".to_owned(), spec.get_or_null("topologySpreadConstraints"))];
    affinity.chain(spread).filter(|(_, rule)| rule.is_array()).map(|(pointer, rule)| (pointer, rule.to_string())).collect()
}
