//! Every workload of the cluster, page by page: a page is in memory at once, and of an object nothing but what was found in it is kept.

use super::found::found;
use super::kind::get;
use super::report::Reports;
use crate::config::Policy;
use crate::facts::RequestFacts;
use crate::history::SharedHistory;
use anyhow::Context as _;
use kube::Client;
use podsight_cluster::Cluster;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What is looked at: version, kind and path.
const WORKLOADS: [(&str, &str, &str); 8] = [
    ("v1", "Pod", "/api/v1/pods"),
    ("v1", "ReplicationController", "/api/v1/replicationcontrollers"),
    ("apps/v1", "ReplicaSet", "/apis/apps/v1/replicasets"),
    ("apps/v1", "Deployment", "/apis/apps/v1/deployments"),
    ("apps/v1", "StatefulSet", "/apis/apps/v1/statefulsets"),
    ("apps/v1", "DaemonSet", "/apis/apps/v1/daemonsets"),
    ("batch/v1", "Job", "/apis/batch/v1/jobs"),
    ("batch/v1", "CronJob", "/apis/batch/v1/cronjobs"),
];
/// Objects of a page.
const PAGE: usize = 50;
/// The namespaces that the webhook is not asked about (`deploy/base/webhook/configuration.yaml`), beside its own.
const EXCLUDED: &str = "kube-system";
/// Nor about those that say so.
const ADMISSION_LABEL: (&str, &str) = ("podsight.dev/admission", "disabled");

/// One look at everything.
pub(super) struct Scan<'a> {
    pub(super) client: &'a Client,
    pub(super) cluster: &'a Cluster,
    pub(super) history: &'a SharedHistory,
    pub(super) policy: &'a Policy,
    pub(super) own_namespace: &'a str,
}

impl Scan<'_> {
    /// Looks at every workload, and says at how many.
    pub(super) async fn run(&self, reports: &mut Reports) -> anyhow::Result<usize> {
        let mut looked_at = 0;
        for (api_version, kind, path) in WORKLOADS {
            let mut token = String::new();
            loop {
                let page = format!("{path}?limit={PAGE}{token}");
                let mut list = get(self.client, &page).await.with_context(|| format!("failed to list the {kind}s"))?;
                let items = list.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
                looked_at += items.len();
                for mut object in items {
                    // The items of a list leave out what is said above them.
                    if let Some(fields) = object.as_object_mut() {
                        fields.insert("apiVersion".to_owned(), json!(api_version));
                        fields.insert("kind".to_owned(), json!(kind));
                    }
                    self.look(&object, reports);
                }
                match list.pointer("/metadata/continue").and_then(Value::as_str) {
                    Some(next) if !next.is_empty() => token = format!("&continue={}", encoded(next)),
                    _ => break,
                }
            }
        }
        Ok(looked_at)
    }

    fn look(&self, object: &Value, reports: &mut Reports) {
        let Some(namespace) = object.pointer("/metadata/namespace").and_then(Value::as_str) else { return };
        let labels = self.cluster.namespace_labels(namespace);
        let is_disabled =
            labels.as_ref().is_some_and(|labels| labels.get(ADMISSION_LABEL.0).is_some_and(|value| value == ADMISSION_LABEL.1));
        if namespace == EXCLUDED || namespace == self.own_namespace || is_disabled {
            return;
        }
        let facts = RequestFacts { namespace, history: self.history, cluster: self.cluster };
        reports.add(namespace, found(object, self.policy.within(namespace, labels.as_deref()), &facts));
    }
}

/// A value of a query.
pub(super) fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            let written = write!(text, "%{byte:02X}");
            debug_assert!(written.is_ok(), "writing to a string cannot fail");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_value_of_a_query() {
        assert_eq!(encoded("eyJ2Ijoib-._~=="), "eyJ2Ijoib-._~%3D%3D");
        assert_eq!(encoded("a&b=ä"), "a%26b%3D%C3%A4");
    }
}
