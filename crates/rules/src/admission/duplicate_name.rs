//! `duplicate-name`

use crate::admission::{list, refused, text};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use std::collections::BTreeSet;

declare_rule! {
    /// ## What it does
    ///
    /// Finds two containers, two volumes or two ports of one container with the same name, and two mounts at one path.
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
    ///   - {name: web, image: "nginx:1.27"}
    ///   - {name: web, image: "busybox:1.37", command: [httpd, -f]}
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
    ///   - {name: web, image: "nginx:1.27"}
    ///   - {name: side, image: "busybox:1.37", command: [httpd, -f]}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Ports of different containers may share a name.
    DuplicateName {
        id: "duplicate-name", group: "admission", certainty: Certain, predicts: [],
        en: "a name or path given twice", zh: "重复的名称或路径", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let names = subject.containers.iter().filter_map(|container| Some((container.name?, container.at("/name"))));
    repeated(rule, subject, ("container name", "容器名"), names, findings);
    let pod = subject.workload.pod;
    let volumes = list(pod, "volumes")
        .filter_map(|(number, volume)| Some((text(volume, "name")?, format!("{}/volumes/{number}/name", subject.workload.pod_pointer))));
    repeated(rule, subject, ("volume name", "卷名"), volumes, findings);
    for container in subject.containers {
        let mut own = Vec::new();
        let ports = list(container.value, "ports")
            .filter_map(|(number, port)| Some((text(port, "name")?, container.at(&format!("/ports/{number}/name")))));
        repeated(rule, subject, ("port name", "端口名"), ports, &mut own);
        let mounts = list(container.value, "volumeMounts")
            .filter_map(|(number, mount)| Some((text(mount, "mountPath")?, container.at(&format!("/volumeMounts/{number}/mountPath")))));
        repeated(rule, subject, ("mountPath", "mountPath"), mounts, &mut own);
        findings.extend(own.into_iter().map(|finding| finding.within(container)));
    }
}

fn repeated<'a>(
    rule: &dyn Rule,
    subject: &Subject<'_>,
    what: (&str, &str),
    names: impl Iterator<Item = (&'a str, String)>,
    findings: &mut Vec<Finding>,
) {
    let mut seen = BTreeSet::new();
    for (name, pointer) in names {
        if name.is_empty() || seen.insert(name) {
            continue;
        }
        let (en, zh) = refused(subject);
        let name = shown(name, 40);
        findings.push(
            Finding::new(rule, pointer)
                .saying(format!("{en}: {} {name} is given twice", what.0), format!("{zh}：{} {name} 重复", what.1))
                .helped_by("give each its own", "使用不同的名称"),
        );
    }
}
