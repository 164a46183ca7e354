//! `host-port-crowded`

use crate::rule::{Subject, declare_rule};
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds a `hostPort` in an object that asks for several replicas: a node has each port once, so that each replica needs a node of its own.
    ///
    /// ## What happens without a change
    ///
    /// With fewer fitting nodes than replicas the rest stays `Pending`: "node(s) didn't have free ports for the requested pod ports". A rolling update that makes the
    /// new pod first needs one node more.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: web}
    /// spec:
    ///   replicas: 3
    ///   selector: {matchLabels: {app: web}}
    ///   template:
    ///     metadata: {labels: {app: web}}
    ///     spec:
    ///       containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80, hostPort: 80}]}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: apps/v1
    /// kind: DaemonSet
    /// metadata: {name: web}
    /// spec:
    ///   selector: {matchLabels: {app: web}}
    ///   template:
    ///     metadata: {labels: {app: web}}
    ///     spec:
    ///       containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80, hostPort: 80}]}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// How many nodes there are is not known, so it is a hint. Ports under `hostNetwork` are not looked at.
    HostPortCrowded {
        id: "host-port-crowded", group: "configuration", certainty: Hint, predicts: [UnschedulablePlacementRule],
        en: "a hostPort in several replicas", zh: "多副本使用同一个 hostPort", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let Some(replicas) = subject.workload.object.pointer("/spec/replicas").and_then(Value::as_u64).filter(|replicas| *replicas > 1) else {
        return;
    };
    for container in subject.containers {
        for (number, port) in container.value.get("ports").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let Some(host_port) = port.get("hostPort").and_then(Value::as_u64).filter(|port| *port > 0) else { continue };
            findings.push(
                Finding::new(rule, container.at(&format!("/ports/{number}/hostPort")))
                    .within(container)
                    .saying(
                        format!("Pending on fewer than {replicas} nodes: each replica takes its node's port {host_port}"),
                        format!("节点少于 {replicas} 个时会 Pending：每个副本都占用所在节点的端口 {host_port}"),
                    )
                    .helped_by("use a Service, or a DaemonSet for one pod a node", "改用 Service；每个节点一个 Pod 时用 DaemonSet"),
            );
        }
    }
}
