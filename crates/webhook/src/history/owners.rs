//! Whose a killed pod is, asked of the API server where the pod itself does not tell.

use super::killed_pod::controller;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ReplicationController;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Client, Error, Resource};
use podsight_history::{Controller, KilledPod, Owner, WorkloadKey};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;
use tokio::time::timeout;

/// So many controllers are remembered; then all are asked for again.
const MAX_KNOWN: usize = 2_000;
/// How many steps it is at most from a pod to what a user applied: `Pod` → Job → `JobSet` is two.
const MAX_STEPS: usize = 4;
/// A question that takes longer is given up.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks for owners, one after the other, and remembers the answers.
pub(super) struct Owners {
    client: Client,
    known: BTreeMap<String, WorkloadKey>,
}

impl Owners {
    pub(super) fn new(client: Client) -> Self {
        Self { client, known: BTreeMap::new() }
    }

    /// The workload that the pod belongs to. Where the API server does not tell, because the owner is gone or may not be read, the names do.
    pub(super) async fn of(&mut self, pod: &KilledPod) -> Option<WorkloadKey> {
        let first = match pod.owner()? {
            Owner::Known(key) => return Some(key),
            Owner::Ask(controller) => controller,
        };
        if let Some(key) = self.known.get(&first.uid) {
            return Some(key.clone());
        }
        let mut owner = first.clone();
        for _ in 0..MAX_STEPS {
            match self.metadata(&pod.namespace, &owner).await {
                Some(Ok(metadata)) if metadata.uid.as_deref() == Some(&owner.uid) => match controller(metadata.owner_references.as_deref())
                {
                    Some(next) => owner = next,
                    None => return self.remember(&first, &pod.namespace, &owner),
                },
                // No kind that somebody else makes.
                None => return self.remember(&first, &pod.namespace, &owner),
                Some(Ok(_)) => break,
                Some(Err(error)) => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        kind = owner.kind,
                        "The owner of a killed pod is taken from names."
                    );
                    break;
                }
            }
        }
        pod.owner_by_name()
    }

    fn remember(&mut self, first: &Controller, namespace: &str, owner: &Controller) -> Option<WorkloadKey> {
        let key = WorkloadKey::new(namespace, &owner.api_version, &owner.kind, &owner.name)?;
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(first.uid.clone(), key.clone());
        Some(key)
    }

    /// The metadata of a controller that may have one of its own; `None` for any other kind.
    async fn metadata(&self, namespace: &str, owner: &Controller) -> Option<Result<ObjectMeta, Error>> {
        match (owner.api_version.as_str(), owner.kind.as_str()) {
            ("apps/v1", "ReplicaSet") => Some(self.get::<ReplicaSet>(namespace, &owner.name).await),
            ("batch/v1", "Job") => Some(self.get::<Job>(namespace, &owner.name).await),
            ("v1", "ReplicationController") => Some(self.get::<ReplicationController>(namespace, &owner.name).await),
            _ => None,
        }
    }

    async fn get<K>(&self, namespace: &str, name: &str) -> Result<ObjectMeta, Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        match timeout(TIMEOUT, api.get_metadata(name)).await {
            Ok(answer) => answer.map(|object| object.metadata),
            Err(late) => Err(Error::Service(Box::new(late))),
        }
    }
}
