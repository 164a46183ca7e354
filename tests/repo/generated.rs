//! The documents that are made from the code.

use crate::repository;
use anyhow::{Context as _, Result, ensure};
use clap::CommandFactory as _;
use podsight_cause::{Cause, Lang, Predictable};
use podsight_evidence::annotation;
use podsight_mutation::{LIMIT_ANNOTATION, MUTATED_ANNOTATION, RUNTIME_ANNOTATION};
use podsight_runtime::admin::Readiness;
use podsight_runtime::certificate::{CertificateFiles, CertificateStore};
use podsight_runtime::metrics::Metrics;
use podsight_runtime::shutdown::{Phase, Shutdown};
use podsight_tests::authority::Authority;
use podsight_tests::program::program;
use podsight_webhook::metrics::{WatchMetrics, WatchedKind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

/// The folder of generated files. The rules' pages have a test of their own, in crates/rules/tests/pages.rs.
pub(crate) const FOLDER: &str = "docs/reference";

/// Files in that folder that are not made here: measurements.
pub(crate) const OTHERS: &[&str] = &["docs/reference/figures.md"];

/// The longest line of a help text.
const HELP_WIDTH: usize = 100;

/// Every generated file, from the root, and what it must hold.
pub(crate) fn documents() -> Result<BTreeMap<String, String>> {
    let mut documents = BTreeMap::new();
    documents.insert("docs/reference/annotations.md".to_owned(), annotations()?);
    documents.insert("docs/reference/causes.md".to_owned(), causes()?);
    documents.insert("docs/reference/exit-codes.md".to_owned(), exit_codes()?);
    documents.insert("docs/reference/metrics.md".to_owned(), metrics()?);
    documents.insert("docs/reference/command-line.md".to_owned(), command_line()?);
    documents.insert("deploy/observability/prometheus-rule.yaml".to_owned(), prometheus_rule()?);
    Ok(documents)
}

fn head(title: &str, source: &str) -> String {
    format!("# {title}\n\n<!-- Generated from {source} by cargo xtask gen. -->\n\n")
}

/// Evidence as the agent writes it. Reading it back and saying it as a sentence is left to the agent's own code.
const EVIDENCE: &str = r#"{"v":1,"containers":{"main":{"kills":3,"incidents":3,"first":"2026-11-22T10:00:00Z","last":"2026-11-22T10:05:00Z","scope":"container","limit":"32Mi","peak":"31Mi","visible":false,"verdict":"oom-child-process","recent":[{"id":"4f1d2c3b:476","at":"2026-11-22T10:05:00Z","pid":158,"comm":"work","anon":"31Mi","attribution":"kernel-line"}]}},"unattributed":0,"lost":0}"#;

fn annotations() -> Result<String> {
    let evidence = annotation::read(EVIDENCE).context("the example is not evidence")?;
    let sentence = podsight_evidence::sentence::sentence(&evidence).context("the example says nothing")?;
    let value: serde_json::Value = serde_json::from_str(&annotation::write(&evidence)).context("evidence is not JSON")?;
    let mut text = head("Annotations and labels", "crates/evidence and crates/mutation");
    write!(
        text,
        "## What you set\n\n| on | key | value | does |\n|---|---|---|---|\n\
         | a namespace | label `podsight.dev/admission` | `disabled` | no admission reviews in it |\n\
         | a workload or pod | annotation `podsight.dev/ignore` | ids of [rules](../rules/README.md), or `all` | those rules stay silent, and [changes](../operations.md#changes) of those names are not made |\n\
         | a namespace | label `podsight.dev/mutation` | `enabled` | what is applied in it is [changed](../operations.md#changes) |\n\
         | a workload or pod, or its template | annotation `{RUNTIME_ANNOTATION}` | `go` or `java` for all containers, or `main=go,worker=java` | the language's runtime is told the memory limit |\n\
         | a workload or pod, or its template | annotation `{LIMIT_ANNOTATION}` | names of containers with commas between them, or `all` | the memory limit may be raised to what the kills of before suggest |\n\n\
         The last two do something in namespaces with the label alone.\n\n\
         ## What the webhook writes\n\n\
         | on | key | value |\n|---|---|---|\n\
         | what it changed | annotation `{MUTATED_ANNOTATION}` | JSON: a list of `{{path, from, to, rule}}`, what still stands there of all changes so far |\n\
         | a report that had no room for all results | annotation `podsight.dev/omitted` | how many are left out |\n\n\
         ## What the agent writes\n\nOn pods in which the kernel killed something, by a patch of `pods/status` as the field manager `podsight-agent`.\n\n\
         | key | value |\n|---|---|\n\
         | annotation `{}` | a sentence for people |\n\
         | annotation `{}` | JSON, at most {} bytes |\n\
         | label `{}` | `{}` |\n\n\
         The sentence:\n```text\n{sentence}\n```\nThe JSON, on one line in the annotation:\n```json\n{}\n```\n",
        annotation::OOM_KILLED,
        annotation::OOM,
        annotation::MAX_BYTES,
        annotation::LABEL,
        annotation::LABEL_VALUE,
        serde_json::to_string_pretty(&value)?,
    )?;
    text.push_str(FIELDS);
    Ok(text)
}

const FIELDS: &str = "
| field | means |
|---|---|
| `kills`, `incidents` | killed processes; all processes of one `memory.oom.group` kill are one incident |
| `scope` | whose limit was reached: `container`, `pod`, `qos`, `node-allocatable`, `node`, `cgroup` (a limit that is not Kubernetes'), or null |
| `limit`, `peak` | that limit, and the most that a victim or its cgroup was seen to hold, as quantities |
| `visible` | whether the API ever showed the container as terminated by it |
| `verdict` | a [cause](causes.md) |
| `recent` | the last kills, newest last. `id` is the first eight digits of the boot id and the record's sequence number, or `boot:usec:pid` |
| `attribution` | how it is known whose kill it was: `kernel-line`, `kernel-group`, `pid`, `counter` or `none` |
| `unattributed` | kills in the pod that no container could be named for |
| `lost` | how many of the kills only the containers' own counters show, because the log has no record of them any more |
| `omitted` | kills of containers that were left out for want of space |
| `through`, `counted`, `alone` | the agent's own marks: up to which record, for which cgroups, and how many by a counter alone the kills are counted here |

Keys may be added. Whoever may patch pods can write all of this by hand: it is the agent's where `managedFields` names `podsight-agent`.
";

fn causes() -> Result<String> {
    let mut text = head("Causes", "crates/cause");
    text.push_str(
        "What a rule predicts, what the evidence's verdict names and what an explanation ranks. \"At apply\" says whether the manifest shows it.\n\n\
         | id | group | at apply | meaning | 含义 |\n|---|---|---|---|---|\n",
    );
    for cause in Cause::ALL {
        let predictable = match cause.predictable() {
            Predictable::Yes => "yes",
            Predictable::Partly => "partly",
            Predictable::No => "no",
        };
        let (id, group) = (cause.id(), cause.group().id());
        writeln!(text, "| `{id}` | {group} | {predictable} | {} | {} |", cause.meaning(Lang::En), cause.meaning(Lang::Zh))?;
    }
    Ok(text)
}

fn exit_codes() -> Result<String> {
    let mut text = head("Exit codes", "crates/explain");
    text.push_str("What `podsight exit-code` says, without what to check.\n\n| code | name | meaning |\n|---|---|---|\n");
    let mut rows: Vec<(u8, u8, String, String)> = Vec::new();
    for code in 0..=u8::MAX {
        let meaning = podsight_explain::exit_code::explain(&code.to_string(), Lang::En)?;
        match rows.last_mut() {
            Some((_, last, name, summary)) if *name == meaning.name && *summary == meaning.summary => *last = code,
            _ => rows.push((code, code, meaning.name, meaning.summary)),
        }
    }
    for (first, last, name, summary) in rows {
        let codes = if first == last { first.to_string() } else { format!("{first} to {last}") };
        writeln!(text, "| {codes} | {} | {} |", name.replace('|', "\\|"), summary.replace('|', "\\|"))?;
    }
    Ok(text)
}

/// The alerts as an object of the Prometheus operator.
fn prometheus_rule() -> Result<String> {
    let rules = repository::read("deploy/observability/rules.yaml")?;
    let mut text = "# Generated from rules.yaml by cargo xtask gen.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: podsight
  namespace: podsight-system
  labels:
    app.kubernetes.io/name: podsight
    app.kubernetes.io/instance: podsight
spec:
"
    .to_owned();
    for line in rules.lines().skip_while(|line| line.starts_with('#')) {
        writeln!(text, "  {line}")?;
    }
    Ok(text)
}

/// The names under which Prometheus keeps what the programs tell.
pub(crate) fn series() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for metrics in registries()? {
        for Described { name, kind, .. } in described(&metrics)? {
            let endings: &[&str] = match kind.as_str() {
                "counter" => &["_total"],
                "histogram" => &["_bucket", "_count", "_sum"],
                "info" => &["_info"],
                _ => &[""],
            };
            names.extend(endings.iter().map(|end| format!("{name}{end}")));
        }
    }
    Ok(names)
}

/// Everything that the two programs register.
fn registries() -> Result<[Metrics; 2]> {
    let mut webhook = Metrics::new("podsight_webhook", "");
    podsight_webhook::metrics::WebhookMetrics::register(webhook.own());
    // A family that is empty does not tell that its values are gauges.
    WatchMetrics::register(webhook.own()).watched(WatchedKind::Node, 0, false);
    podsight_webhook::events::EventMetrics::register(webhook.own());
    podsight_runtime::serve::ConnectionMetrics::default().register(webhook.own());
    podsight_webhook::certificates::KeeperMetrics::register(webhook.own());
    certificates()?.register(webhook.own());
    let mut agent = Metrics::new("podsight_agent", "");
    podsight_agent::metrics::AgentMetrics::register(agent.own());
    for metrics in [&mut webhook, &mut agent] {
        let readiness = Readiness::default();
        readiness.ready("part");
        readiness.register(metrics.own());
    }
    Ok([webhook, agent])
}

pub(crate) fn metrics() -> Result<String> {
    let [webhook, agent] = registries()?;
    let mut text = head("Metrics", "what the programs register");
    text.push_str("In OpenMetrics form at `/metrics` of the admin port, 9090. A counter is written with `_total` behind its name.\n");
    for (program, metrics) in [("podsight-webhook", &webhook), ("podsight-agent", &agent)] {
        write!(text, "\n## {program}\n\n| name | type | what it counts |\n|---|---|---|\n")?;
        for Described { name, kind, help } in described(metrics)? {
            writeln!(text, "| `{name}` | {kind} | {help} |")?;
        }
    }
    Ok(text)
}

/// A store with a certificate, without which it has nothing to tell of one.
fn certificates() -> Result<CertificateStore> {
    let folder = tempfile::tempdir().context("failed to make a folder")?;
    let pair = Authority::new()?.issue()?;
    let files = CertificateFiles { certificate: folder.path().join("tls.crt"), key: folder.path().join("tls.key") };
    std::fs::write(&files.certificate, pair.certificate).context("failed to write a certificate")?;
    std::fs::write(&files.key, pair.key).context("failed to write a key")?;
    let store = CertificateStore::new();
    // It looks once before it sees that it is to stop.
    let shutdown = Shutdown::new();
    shutdown.advance(Phase::Closing);
    podsight_runtime::block_on(store.clone().follow(files, Duration::from_mins(1), Readiness::default(), shutdown.stop()))?;
    Ok(store)
}

/// A registered metric.
struct Described {
    name: String,
    kind: String,
    help: String,
}

/// What a registry holds. The exposition leaves out families that have counted nothing yet (all of ours are counters), so the rest is taken from
/// the registry's `Debug` form, which shows every descriptor.
fn described(metrics: &Metrics) -> Result<Vec<Described>> {
    let exposition = metrics.encode()?;
    let mut all: Vec<Described> = Vec::new();
    let mut help = "";
    for line in exposition.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), _, Some(what)) => help = what,
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                all.push(Described { name: name.to_owned(), kind: kind.to_owned(), help: help.to_owned() });
            }
            _ => {}
        }
    }
    let debug = format!("{metrics:?}");
    let prefix = debug.rsplit_once("prefix: Some(Prefix(\"").and_then(|(_, rest)| rest.split('"').next()).context("no prefix")?;
    for descriptor in debug.split("Descriptor { name: \"").skip(1) {
        let (name, rest) = descriptor.split_once("\", help: \"").context("a descriptor without help")?;
        let (help, rest) = rest.split_once("\", unit: ").context("a descriptor without a unit")?;
        let name = format!("{prefix}_{name}");
        let is_empty_family = rest.starts_with("None }, Family");
        if is_empty_family && !all.iter().any(|known| known.name == name) {
            all.push(Described { name, kind: "counter".to_owned(), help: help.to_owned() });
        }
    }
    all.sort_by(|a, b| (a.name.starts_with("process_"), &a.name).cmp(&(b.name.starts_with("process_"), &b.name)));
    ensure!(all.len() > 10, "too few metrics were found");
    Ok(all)
}

fn command_line() -> Result<String> {
    let mut text = head("Command line", "the programs' own help");
    let podsight = program("podsight-cli", "podsight")?;
    let help = |arguments: &[&str]| -> Result<String> {
        let output =
            Command::new(&podsight).args(arguments).arg("--help").env_remove("COLUMNS").output().context("failed to run podsight")?;
        ensure!(output.status.success(), "podsight {arguments:?} --help failed");
        String::from_utf8(output.stdout).context("the help is not UTF-8")
    };
    let overview = help(&[])?;
    section(&mut text, "podsight", &overview)?;
    let verbs = overview.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for verb in verbs.filter_map(|line| line.split_whitespace().next()).filter(|verb| *verb != "help") {
        section(&mut text, &format!("podsight {verb}"), &help(&[verb])?)?;
    }
    for mut command in [podsight_webhook::Args::command(), podsight_agent::Args::command()] {
        command = command.term_width(HELP_WIDTH);
        let name = command.get_name().to_owned();
        section(&mut text, &name, &command.render_long_help().to_string())?;
    }
    Ok(text)
}

fn section(text: &mut String, title: &str, help: &str) -> Result<()> {
    let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    Ok(write!(text, "## {title}\n\n```text\n{}\n```\n\n", help.join("\n"))?)
}
