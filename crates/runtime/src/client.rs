//! The Kubernetes client.

use kube::config::{InClusterError, KubeConfigOptions, KubeconfigError};
use kube::{Client, Config};
use std::time::Duration;
use thiserror::Error;

/// Longer than a watch (kube's watcher asks for 290 s), so that only a dead connection is given up.
const READ_TIMEOUT: Duration = Duration::from_mins(5);

/// Why there is no client.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The file that `KUBECONFIG` names is no good.
    #[error("failed to read the kubeconfig named by KUBECONFIG")]
    Kubeconfig(#[source] KubeconfigError),
    /// Not in a pod, and no `KUBECONFIG`.
    #[error("found no cluster: set KUBECONFIG, or run in a pod with a ServiceAccount token")]
    NoCluster(#[source] InClusterError),
    /// The configuration cannot be used.
    #[error("failed to make the Kubernetes client")]
    Build(#[source] kube::Error),
}

/// A client of the cluster that `KUBECONFIG` names or, without it, of the one that the program runs in.
///
/// In a pod the API server's address is an IP (`KUBERNETES_SERVICE_HOST`): the static programs cannot resolve names.
pub async fn connect() -> Result<Client, ClientError> {
    let mut config = if std::env::var_os("KUBECONFIG").is_some_and(|path| !path.is_empty()) {
        Config::from_kubeconfig(&KubeConfigOptions::default()).await.map_err(ClientError::Kubeconfig)?
    } else {
        Config::incluster_env().map_err(ClientError::NoCluster)?
    };
    config.read_timeout = Some(READ_TIMEOUT);
    Client::try_from(config).map_err(ClientError::Build)
}
