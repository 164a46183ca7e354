//! The cluster that the tests run on.

use anyhow::{Context as _, Result};
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::Deserialize;

/// What these tests need to know of a running testbed.
#[derive(Debug, Deserialize)]
pub(crate) struct Testbed {
    /// The administrator's kubeconfig.
    kubeconfig: String,
}

/// The testbed, where one is running.
pub(crate) fn running() -> Result<Option<Testbed>> {
    let Some(file) = std::env::var_os("PODSIGHT_TESTBED") else {
        println!("skipped: cargo xtask test runs these");
        return Ok(None);
    };
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    serde_json::from_str(&text).map(Some).with_context(|| format!("understand {}", file.display()))
}

impl Testbed {
    async fn config(&self) -> Result<Config> {
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig).with_context(|| format!("read {}", self.kubeconfig))?;
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.context("understand the kubeconfig")
    }

    /// A client that may do everything.
    pub(crate) async fn client(&self) -> Result<Client> {
        Client::try_from(self.config().await?).context("make a client")
    }

    /// A client with this token and nothing else.
    pub(crate) async fn client_with_token(&self, token: &str) -> Result<Client> {
        let mut config = self.config().await?;
        config.auth_info = AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
        Client::try_from(config).context("make a client")
    }
}
