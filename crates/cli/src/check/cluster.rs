//! `--cluster`: what the cluster that the manifests will be applied to has, by way of the user's own kubectl.
//!
//! As little as possible is read: names come as kubectl's table, for which the API server sends no data; of the ConfigMaps and Secrets whose keys are asked for
//! the keys alone are printed; the rest (nodes, limits, quotas, classes) decides over pods as a whole. Of pods those are
//! read that bear evidence of a kill.

mod ask;
mod past;

use crate::explain::cluster::Cluster as Kubectl;
use podsight_cluster::{Cluster, Kind};
use podsight_history::History;
use podsight_rules::{RefKind, Reference};
use podsight_spec::Workload;
use std::collections::BTreeSet;

/// The options.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Cluster")]
#[group(id = "check-cluster")]
pub(crate) struct Args {
    /// Look at the cluster as well: names, keys, limits, quotas, Pod Security levels, classes, nodes, and what was killed there
    #[arg(long)]
    cluster: bool,
    /// Path to the kubeconfig file
    #[arg(long, value_name = "FILE", requires = "cluster")]
    kubeconfig: Option<String>,
    /// Name of the kubeconfig context
    #[arg(long, value_name = "NAME", requires = "cluster")]
    context: Option<String>,
    /// Namespace of the objects that name none [default: the context's]
    #[arg(short = 'n', long, requires = "cluster")]
    namespace: Option<String>,
}

/// What the manifests need to be known.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// The namespaces of the workloads; `None` is the context's.
    namespaces: BTreeSet<Option<String>>,
    /// Which kinds are referred to, and where.
    kinds: BTreeSet<(Kind, Option<String>)>,
    /// The objects of which a key is referred to.
    keys: BTreeSet<(Kind, Option<String>, String)>,
}

impl Needs {
    /// The namespaces of the workloads, with this one for the context's.
    fn namespaces_or(&self, default: &str) -> BTreeSet<String> {
        let named = self.namespaces.iter().map(|namespace| namespace.clone().unwrap_or_else(|| default.to_owned()));
        named.filter(|namespace| ask::is_name(namespace)).collect()
    }

    /// Adds what a workload needs.
    pub(crate) fn add(&mut self, workload: &Workload<'_>, references: &[Reference<'_>]) {
        let namespace = workload.namespace.map(str::to_owned);
        self.namespaces.insert(namespace.clone());
        for reference in references.iter().filter(|reference| !reference.optional) {
            let kind = Kind::from(reference.kind);
            self.kinds.insert((kind, if kind.is_cluster_wide() { None } else { namespace.clone() }));
            if reference.key.is_some() && matches!(reference.kind, RefKind::ConfigMap | RefKind::Secret) {
                self.keys.insert((kind, namespace.clone(), reference.name.to_owned()));
            }
        }
        let has_claims = |value: Option<&serde_json::Value>, inner: &str| {
            value.and_then(serde_json::Value::as_array).into_iter().flatten().any(|item| inner.is_empty() || item.get(inner).is_some())
        };
        if has_claims(workload.pod.get("volumes"), "persistentVolumeClaim")
            || has_claims(workload.pod.get("volumes"), "ephemeral")
            || has_claims(workload.object.pointer("/spec/volumeClaimTemplates"), "")
        {
            self.kinds.extend([Kind::StorageClass, Kind::PersistentVolume].map(|kind| (kind, None)));
        }
    }
}

/// What the cluster tells.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What it has.
    pub(crate) cluster: Cluster,
    /// What was killed in it.
    pub(crate) past: History,
}

impl Args {
    /// What the cluster has, and notes about what may not be read; nothing if the cluster is not to be asked.
    pub(crate) fn ask(&self, needs: &Needs) -> anyhow::Result<(Option<Answer>, Vec<String>)> {
        if !self.cluster {
            return Ok((None, Vec::new()));
        }
        let kubectl = Kubectl {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            all_namespaces: false,
        };
        let (cluster, mut notes) = ask::ask(&kubectl, needs)?;
        let past = past::ask(&kubectl, &needs.namespaces_or(cluster.default_namespace()), &mut notes);
        Ok((Some(Answer { cluster, past }), notes))
    }
}
