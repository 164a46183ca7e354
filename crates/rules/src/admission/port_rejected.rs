//! `port-rejected`

use crate::admission::{list, refused, text};
use crate::rule::{Subject, declare_rule};
use crate::{Finding, Rule};
use podsight_spec::Role;
use serde_json::Value;
use std::collections::BTreeSet;

declare_rule! {
    /// ## What it does
    ///
    /// Finds ports that are no ports (1 to 65535), host ports that two containers of the pod want, and host ports that differ from the container's port under
    /// `hostNetwork`.
    ///
    /// ## What happens without a change
    ///
    /// The API server refuses the object at `kubectl apply`. For a kind that it does not know (Rollout, DeploymentConfig, Knative) it accepts the object and refuses
    /// its pods: `FailedCreate`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     ports: [{containerPort: 80800}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     ports: [{containerPort: 8080}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Host ports that are taken on the node are not known.
    PortRejected {
        id: "port-rejected", group: "admission", certainty: Certain, predicts: [],
        en: "a port that the API server refuses", zh: "API 服务器拒绝的端口", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let (en, zh) = refused(subject);
    let host_network = subject.workload.pod.get("hostNetwork").and_then(Value::as_bool) == Some(true);
    let mut taken = BTreeSet::new();
    for container in subject.containers {
        // As `checkHostPortConflicts` is called: for all containers together, and for each init container by itself.
        let together = if container.role == Role::Main { "" } else { container.pointer.as_str() };
        for (number, port) in list(container.value, "ports") {
            let of = |field: &str| port.get(field).and_then(Value::as_i64);
            for field in ["containerPort", "hostPort"] {
                let Some(value) = of(field).filter(|value| !(1..=65_535).contains(value) && (*value != 0 || field == "containerPort"))
                else {
                    continue;
                };
                findings.push(
                    Finding::new(rule, container.at(&format!("/ports/{number}/{field}")))
                        .within(container)
                        .saying(format!("{en}: {field} {value} is no port"), format!("{zh}：{field} {value} 不是有效端口"))
                        .helped_by("a port is a number from 1 to 65535", "端口是 1 到 65535 之间的数"),
                );
            }
            if let Some(host_port) = of("hostPort").filter(|host_port| *host_port > 0)
                && !taken.insert((together, text(port, "protocol").unwrap_or("TCP"), text(port, "hostIP").unwrap_or_default(), host_port))
            {
                findings.push(
                    Finding::new(rule, container.at(&format!("/ports/{number}/hostPort")))
                        .within(container)
                        .saying(format!("{en}: hostPort {host_port} is given twice"), format!("{zh}：hostPort {host_port} 重复"))
                        .helped_by("give each its own", "使用不同的端口"),
                );
            }
            if let (true, Some(inner), Some(outer)) = (host_network, of("containerPort"), of("hostPort"))
                && outer != 0
                && inner != outer
            {
                findings.push(
                    Finding::new(rule, container.at(&format!("/ports/{number}/hostPort")))
                        .within(container)
                        .saying(
                            format!("{en}: hostPort {outer} must be {inner} under hostNetwork"),
                            format!("{zh}：hostNetwork 下 hostPort {outer} 必须等于 {inner}"),
                        )
                        .helped_by(
                            "leave hostPort out: hostNetwork has the port on the node already",
                            "去掉 hostPort：hostNetwork 已经使用节点端口",
                        ),
                );
            }
        }
    }
}
