//! `podsight doctor`.

use crate::args::{Format, Output};
use crate::explain::cluster::Cluster;
use crate::output;
use anyhow::Context as _;
use podsight_doctor::{Read, Seen, Verdict, judge};
use std::io::Write as _;
use std::process::{ExitCode, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// A pod that the oldest rule warns about.
const PROBE: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "podsight-doctor"},
  "spec": {"containers": [{"name": "main", "image": "podsight.dev/doctor:1", "resources": {"limits": {"memory": "1"}}}]}}"#;

/// What is wrong or risky with podsight's own installation
///
/// Looks at the webhook, its certificate and who trusts it, the agent on each node, the guard on the agent's identity and the versions, and
/// asks the API server for a warning by a dry run. Changes nothing. What it may not read it names in its first line. Exit status: 0 nothing
/// wrong or risky in what could be looked at, 1 something is wrong or risky, 2 nothing could be judged.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Do not try a dry run of a pod that is to be warned about
    #[arg(long)]
    no_probe: bool,
    /// Namespace in which the dry run is tried
    #[arg(long, value_name = "NAMESPACE", default_value = "default")]
    probe_namespace: String,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    output: Output,
}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        match self.try_run() {
            Ok(code) => code,
            Err(error) => output::fail(&error),
        }
    }

    fn try_run(self) -> anyhow::Result<ExitCode> {
        let seen = self.look()?;
        let findings = judge(&seen);
        let code = ExitCode::from(Verdict::of(&seen, &findings).exit_status());
        let lang = self.output.voice.lang();
        match self.output.format {
            Format::Json => {
                let json = podsight_doctor::json(&seen, &findings, lang).context("cannot write JSON")?;
                Ok(output::print_raw(&json, code))
            }
            Format::Text => Ok(output::print(&self.output.voice, &podsight_doctor::text(&seen, &findings, lang), code)),
        }
    }

    fn look(&self) -> anyhow::Result<Seen> {
        let namespace = self.cluster.namespace.clone().unwrap_or_else(|| "podsight-system".to_owned());
        let version = self.cluster.json(&["version".to_owned()]).context("the cluster cannot be reached")?;
        let here = |kind: &str, name: &str| self.read(&["get", kind, name, "-n", &namespace]);
        let all = |kind: &str| self.read(&["get", kind]);
        let configuration = |kind: &str| self.read(&["get", kind, "podsight-webhook"]);
        let validating = configuration("validatingwebhookconfigurations");
        let is_warned = (!self.no_probe && validating.value().is_some()).then(|| self.probe()).transpose()?.flatten();
        Ok(Seen {
            now: unix_seconds(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            server: version.get("serverVersion").cloned().map_or(Read::NotAsked, Read::Found),
            mutating: configuration("mutatingwebhookconfigurations"),
            service: here("services", "podsight-webhook"),
            deployment: here("deployments", "podsight-webhook"),
            daemon_set: here("daemonsets", "podsight-agent"),
            own_secret: here("secrets", "podsight-webhook-certificates"),
            mounted_secret: here("secrets", "podsight-webhook-tls"),
            pods: self.read(&["get", "pods", "-n", &namespace]),
            nodes: all("nodes"),
            policies: all("validatingadmissionpolicies"),
            bindings: all("validatingadmissionpolicybindings"),
            network_policies: self.read(&["get", "networkpolicies", "-n", &namespace]),
            validating,
            is_warned,
            namespace,
        })
    }

    /// Reads an object or a list; that there is none is an answer as well.
    fn read(&self, words: &[&str]) -> Read {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let error = match self.cluster.json(&words) {
            Ok(value) => return Read::Found(value),
            Err(error) => format!("{error:#}"),
        };
        if error.contains("(NotFound)") || error.contains("doesn't have a resource type") {
            return Read::Missing;
        }
        Read::Refused(error.lines().next().unwrap_or_default().to_owned())
    }

    /// Whether a pod that cannot start is warned about; nothing where it could not be tried.
    fn probe(&self) -> anyhow::Result<Option<bool>> {
        let words = ["create", "--dry-run=server", "-f", "-", "-n", &self.probe_namespace].map(str::to_owned);
        let mut command = self.cluster.command(&words);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run kubectl; is it on the PATH?")?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(PROBE.as_bytes()).context("cannot give kubectl the pod of the dry run")?;
        }
        let answer = child.wait_with_output().context("kubectl went away")?;
        let said = String::from_utf8_lossy(&answer.stderr);
        let is_warned = said.contains("[memory-tiny]");
        Ok((is_warned || answer.status.success()).then_some(is_warned))
    }
}

#[expect(clippy::disallowed_methods, reason = "whether a certificate has expired depends on the time")]
fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_probe_is_what_a_rule_warns_about() {
        let pod: Value = serde_json::from_str(PROBE).unwrap();
        let (documents, problems) = podsight_spec::read(PROBE.as_bytes());
        assert!(problems.is_empty() && pod["kind"] == "Pod" && documents.len() == 1);
    }
}
