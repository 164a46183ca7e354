//! The cluster as kubectl shows it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command::{self, Output};

/// kubectl with a kubeconfig.
#[derive(Debug, Clone)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// `program` used with `kubeconfig`.
    pub fn new(program: PathBuf, kubeconfig: PathBuf) -> Self {
        Self { program, kubeconfig }
    }

    /// The kubeconfig's file.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Standard output of a run that must succeed.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        command::run(&mut self.command(arguments))
    }

    /// All of a run, whether it succeeds or not.
    pub fn output(&self, arguments: &[&str]) -> Result<Output> {
        command::output(&mut self.command(arguments))
    }

    /// An object or a list.
    pub fn get(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.run(&[&["get", "-o", "json"], arguments].concat())?;
        serde_json::from_str(&text).context("understand what kubectl get -o json printed")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // Plain output whatever the user's own settings are.
        command.env("KUBECONFIG", &self.kubeconfig).env("KUBERC", "off").env_remove("KUBECTL_EXTERNAL_DIFF").args(arguments);
        command
    }
}
