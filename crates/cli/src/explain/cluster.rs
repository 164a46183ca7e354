//! The cluster, by way of the user's own kubectl: its kubeconfig, its plugins for authentication, its proxy.

use anyhow::{Context as _, bail};
use serde_json::Value;
use std::process::{Command, Stdio};

/// The flags that kubectl has for finding a cluster and a namespace.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct Cluster {
    /// Path to the kubeconfig file
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<String>,
    /// Name of the kubeconfig context
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Namespace
    #[arg(short = 'n', long)]
    pub(crate) namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
}

impl Cluster {
    /// The flags that lead to the cluster, as kubectl takes them.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        for (name, value) in [("--kubeconfig", &self.kubeconfig), ("--context", &self.context)] {
            if let Some(value) = value {
                flags.extend([name.to_owned(), value.clone()]);
            }
        }
        flags
    }

    /// The flags that choose namespaces.
    pub(crate) fn scope(&self) -> Vec<String> {
        match (&self.namespace, self.all_namespaces) {
            (_, true) => vec!["--all-namespaces".to_owned()],
            (Some(namespace), _) => vec!["--namespace".to_owned(), namespace.clone()],
            _ => Vec::new(),
        }
    }

    /// A kubectl command on the cluster.
    pub(crate) fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new("kubectl");
        command.args(self.flags()).args(words).stdin(Stdio::null());
        command
    }

    /// What a kubectl command prints.
    pub(crate) fn run(&self, words: &[String]) -> anyhow::Result<Vec<u8>> {
        let said = words.join(" ");
        let output =
            self.command(words).output().map_err(|error| missing(&error)).with_context(|| format!("cannot run `kubectl {said}`"))?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            bail!("`kubectl {said}` failed: {}", error.trim());
        }
        Ok(output.stdout)
    }

    /// The same as JSON.
    pub(crate) fn json(&self, words: &[String]) -> anyhow::Result<Value> {
        let mut words = words.to_vec();
        words.extend(["-o".to_owned(), "json".to_owned()]);
        let output = self.run(&words)?;
        serde_json::from_slice(&output).with_context(|| format!("`kubectl {}` printed no JSON", words.join(" ")))
    }

    /// The minor version of the server, where it tells.
    pub(crate) fn server_minor(&self) -> Option<String> {
        let version = self.json(&["version".to_owned()]).ok()?;
        version.get("serverVersion")?.get("minor")?.as_str().map(str::to_owned)
    }
}

fn missing(error: &std::io::Error) -> anyhow::Error {
    if error.kind() == std::io::ErrorKind::NotFound {
        anyhow::anyhow!(
            "kubectl is not on the PATH; install it, or give files: kubectl get pods,events -A -o json > bundle.json, then podsight explain -f bundle.json"
        )
    } else {
        anyhow::anyhow!("{error}")
    }
}
