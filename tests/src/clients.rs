//! Clients of the API server.

use crate::testbed::Testbed;
use anyhow::{Context as _, Result};
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::path::Path;

/// A client that may do everything.
pub async fn administrator(testbed: &Testbed) -> Result<Client> {
    Client::try_from(config(testbed).await?).context("make a client")
}

/// A client of the cluster that a kubeconfig names.
pub async fn from_file(file: &Path) -> Result<Client> {
    Client::try_from(read(file).await?).context("make a client")
}

/// A client with this token and nothing else.
pub async fn with_token(testbed: &Testbed, token: &str) -> Result<Client> {
    let mut config = config(testbed).await?;
    config.auth_info = AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
    Client::try_from(config).context("make a client")
}

async fn config(testbed: &Testbed) -> Result<Config> {
    read(&testbed.description.kubeconfig).await
}

async fn read(file: &Path) -> Result<Config> {
    let kubeconfig = Kubeconfig::read_from(file).with_context(|| format!("read {}", file.display()))?;
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.context("understand the kubeconfig")
}
