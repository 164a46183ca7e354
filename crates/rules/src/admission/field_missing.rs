//! `field-missing`

use crate::admission::{list, refused};
use crate::rule::{Subject, declare_rule};
use crate::whole::{labels, stands_alone};
use crate::{Certainty, Finding, Rule};
use podsight_spec::Workload;
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds objects that lack what the API server requires: containers, the image or the name of a container, the selector of a Deployment, ReplicaSet, StatefulSet or
    /// DaemonSet, the path or the volume of a mount, the name of a volume or variable, the number of a port.
    ///
    /// ## What happens without a change
    ///
    /// The API server refuses the object at `kubectl apply`: "Required value".
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: web}
    /// spec:
    ///   selector: {matchLabels: {app: web}}
    ///   template:
    ///     metadata: {labels: {app: web}}
    ///     spec:
    ///       containers:
    ///       - name: web
    ///         ports: [{containerPort: 80}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: web}
    /// spec:
    ///   selector: {matchLabels: {app: web}}
    ///   template:
    ///     metadata: {labels: {app: web}}
    ///     spec:
    ///       containers:
    ///       - name: web
    ///         image: nginx:1.27
    ///         ports: [{containerPort: 80}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// A patch leaves out most of an object, and so may a base that overlays complete. An absent image or absent containers are found where nothing says that the object is a
    /// part: in a workload with its selector and its labels, in a Job with its `restartPolicy`. A Pod without an image looks like a patch of kustomize, and only an empty one is found there. An absent selector is found where the template has labels and
    /// images and no kustomization lies beside the file, which could bring it. All of these are likely only. Only the kinds of Kubernetes itself are looked at.
    FieldMissing {
        id: "field-missing", group: "admission", certainty: Certain, predicts: [],
        en: "a field that the API server requires", zh: "缺少 API 服务器要求的字段", check: check,
    }
}

/// The items that have a field of their own to be known by, and that field.
const ITEMS: [(&str, &[&str]); 4] = [
    ("ports", &["containerPort"]),
    ("env", &["name"]),
    ("volumeMounts", &["mountPath", "name"]),
    ("volumeDevices", &["devicePath", "name"]),
];

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let workload = subject.workload;
    if !is_built_in(workload) {
        return;
    }
    let (en, zh) = refused(subject);
    let finding = |pointer: String, what: &str, what_zh: &str, field: &str| {
        Finding::new(rule, pointer)
            .saying(format!("{en}: {what} no {field}"), format!("{zh}：{what_zh}没有 {field}"))
            .helped_by(format!("add {field}"), format!("加上 {field}"))
    };
    // What lies beside a kustomization may be a patch of it, however whole it looks.
    let is_completed = subject.facts.is_kustomized();
    if stands_alone(workload) {
        if !is_completed
            && workload.pod.get("containers").is_none_or(|containers| containers.is_null() || containers == &Value::Array(Vec::new()))
        {
            let absent = finding(format!("{}/containers", workload.pod_pointer), "the pod has", "Pod ", "containers");
            findings.push(absent.at_most(Certainty::Likely));
        }
        for container in subject.containers.iter().filter(|_| !is_filled_in(workload)) {
            // What is empty nobody completes; what is absent an overlay may bring, and a Pod without it looks as a patch does.
            let is_absent = lacks(container.value, "image") && workload.kind != "Pod" && !is_completed;
            let certainty = if is_absent { Certainty::Likely } else { Certainty::Certain };
            if is_absent || container.image() == Some("") {
                let absent = finding(container.at("/image"), "the container has", "容器", "image");
                findings.push(absent.within(container).at_most(certainty));
            }
        }
    }
    if workload.is_partial() {
        return;
    }
    if lacks_selector(workload) && !is_completed {
        let kind = format!("the {} has", workload.kind);
        findings.push(finding("/spec/selector".to_owned(), &kind, &format!("{} ", workload.kind), "selector").at_most(Certainty::Likely));
    }
    for (number, volume) in list(workload.pod, "volumes") {
        if lacks(volume, "name") {
            findings.push(finding(format!("{}/volumes/{number}/name", workload.pod_pointer), "a volume has", "卷", "name"));
        }
    }
    for container in subject.containers {
        if container.name.is_none() && lacks(container.value, "name") {
            findings.push(finding(container.at("/name"), "a container has", "容器", "name"));
        }
        for (items, fields) in ITEMS {
            for (number, item) in list(container.value, items) {
                for field in fields.iter().filter(|field| lacks(item, field)) {
                    let (what, what_zh) = (format!("an item of {items} has"), format!("{items} 的一项"));
                    findings.push(finding(container.at(&format!("/{items}/{number}/{field}")), &what, &what_zh, field).within(container));
                }
            }
        }
    }
}

/// The kinds whose templates the API server validates.
fn is_built_in(workload: &Workload<'_>) -> bool {
    matches!(
        (workload.api_version, workload.kind),
        ("v1", "Pod" | "ReplicationController")
            | ("apps/v1", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
            | ("batch/v1", "Job" | "CronJob")
    )
}

/// Whether a controller of OpenShift writes the images.
fn is_filled_in(workload: &Workload<'_>) -> bool {
    let annotations = workload.object.pointer("/metadata/annotations");
    annotations.is_some_and(|annotations| annotations.get("image.openshift.io/triggers").is_some())
}

/// Whether it is a whole workload but for its selector: a patch seldom brings labels for the template that the object has itself, or its number of replicas.
fn lacks_selector(workload: &Workload<'_>) -> bool {
    if workload.api_version != "apps/v1" || workload.object.pointer("/spec/selector").is_some() {
        return false;
    }
    let Some(labels) = labels(workload) else { return false };
    let own = workload.object.pointer("/metadata/labels");
    workload.object.pointer("/spec/replicas").is_some() || labels.iter().any(|(key, value)| own.and_then(|own| own.get(key)) == Some(value))
}

/// Whether the item is an object without the field.
fn lacks(value: &Value, field: &str) -> bool {
    value.is_object() && value.get(field).is_none_or(Value::is_null) && value.get("$patch").is_none()
}
