//! `podsight explain`.

pub(crate) mod bundle;
pub(crate) mod cluster;
mod mend;
mod piece;
mod printed;
mod selector;
mod table;
mod target;
mod watch;

use crate::args::Voice;
use crate::output;
use anyhow::Context as _;
use bundle::{Bundle, Expect, Found};
use clap::ValueEnum;
use cluster::Cluster;
use podsight_cause::{Group, Lang};
use podsight_explain::status::ServerVersion;
use podsight_explain::{Event, Explanation, Input, KernelKills, render};
use selector::Selector;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use table::ServerColumns;

/// Why a pod is not well
///
/// Says what happened, who did it, how sure that is and why, and what to do next: from the cluster by way of kubectl, or from files.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Pods (NAME or pod/NAME), or what made them (deploy/NAME, job/NAME and the like) [default: those of the namespace that are not well]
    #[arg(value_name = "POD")]
    names: Vec<String>,
    /// Read pods from a file or folder instead of the cluster: JSON or YAML, lists and dumps too, or what kubectl describe and kubectl get
    /// pods print; - for standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Read events from a file
    #[arg(long, value_name = "FILE")]
    events: Vec<PathBuf>,
    /// Read memory kills from a kernel log
    #[arg(long, value_name = "FILE")]
    kernel_log: Vec<PathBuf>,
    /// One line for each pod that is not well, worst first, and for healthy ones with a past
    #[arg(long)]
    all: bool,
    /// Only pods with these labels
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    selector: Option<String>,
    /// Go on and print each change
    #[arg(short = 'w', long, conflicts_with = "files")]
    watch: bool,
    /// Show the last lines of the log and take them as evidence (needs the cluster)
    #[arg(long)]
    logs: bool,
    /// Compute the columns as this server would, such as 1.34 [default: the cluster's own, or the newest]
    #[arg(long, value_name = "VERSION")]
    server_version: Option<ServerVersion>,
    /// Output format
    #[arg(short = 'o', long = "format", visible_alias = "output", value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    voice: Voice,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: the answer first
    #[default]
    Text,
    /// The schema podsight.dev/explain/v1
    Json,
    /// For an issue
    Markdown,
    /// A page with the time line of each pod
    Html,
}

/// With more pods than this the text is one line each, as with --all.
const MANY: usize = 12;

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        match self.try_run() {
            Ok(code) => code,
            Err(error) => output::fail(&error),
        }
    }

    fn try_run(self) -> anyhow::Result<ExitCode> {
        if self.watch {
            return watch::watch(&self);
        }
        let mut bundle = Bundle::default();
        let online = self.files.is_empty();
        let mut columns = if online { target::fetch(&self, &mut bundle)? } else { ServerColumns::default() };
        for file in &self.files {
            read(file, &mut bundle, Expect::Anything);
        }
        for file in &self.events {
            read(file, &mut bundle, Expect::Events);
        }
        if !online {
            bundle.take_objects_of_events();
        }
        columns.extend(std::mem::take(&mut bundle.columns));
        let kills = self.kernel_kills()?;
        for problem in &bundle.problems {
            output::note(problem);
        }
        if bundle.pods.is_empty() && bundle.others.is_empty() {
            if online {
                output::note(&match self.voice.lang() {
                    Lang::En => format!("no pods in {}", self.scope_name()),
                    Lang::Zh => format!("{}中没有 Pod", self.scope_name()),
                });
                return self.write(&Explainer::new(&self, &bundle, kills.as_ref(), columns)?, ExitCode::SUCCESS);
            }
            if bundle.problems.is_empty() {
                output::note("no pod in the input");
            }
            return Ok(ExitCode::from(output::FAILED));
        }
        let explainer = Explainer::new(&self, &bundle, kills.as_ref(), columns)?;
        if !self.names.is_empty() && explainer.chosen.is_empty() {
            anyhow::bail!("no pod named {} in the input", self.names.join(", "));
        }
        if let Some(selector) = self.selector.as_deref().filter(|_| explainer.chosen.is_empty()) {
            anyhow::bail!("no pod with the labels {selector} in the input");
        }
        self.write(&explainer, ExitCode::SUCCESS)
    }

    fn scope_name(&self) -> String {
        match (&self.cluster.namespace, self.cluster.all_namespaces) {
            (_, true) => "the cluster".to_owned(),
            (Some(namespace), _) => format!("namespace {namespace}"),
            _ => "this namespace".to_owned(),
        }
    }

    fn kernel_kills(&self) -> anyhow::Result<Option<KernelKills>> {
        if self.kernel_log.is_empty() {
            return Ok(None);
        }
        let mut kills: Vec<podsight_oom::Kill> = Vec::new();
        for file in &self.kernel_log {
            let log = bytes(file).with_context(|| format!("cannot read the kernel log {}", file.display()))?;
            let mut events = Vec::new();
            podsight_oom::read_log(&log, &mut podsight_oom::Machine::default(), &mut events);
            for event in events {
                if let podsight_oom::Event::Kill(kill) = event {
                    let same = |other: &podsight_oom::Kill| (other.seq, other.usec, other.pid) == (kill.seq, kill.usec, kill.pid);
                    match kills.iter_mut().rev().find(|other| same(other)) {
                        Some(known) => *known = *kill,
                        None => kills.push(*kill),
                    }
                }
            }
        }
        Ok(Some(KernelKills::new(kills)))
    }

    fn write(&self, explainer: &Explainer<'_>, code: ExitCode) -> anyhow::Result<ExitCode> {
        let lang = self.voice.lang();
        let mut out = std::io::BufWriter::new(anstream::AutoStream::new(std::io::stdout().lock(), self.voice.color()));
        let written = match self.format {
            Format::Text
                if self.all || (self.names.is_empty() && explainer.chosen.len() > MANY) || (explainer.online && self.names.is_empty()) =>
            {
                lines(explainer, lang, &mut out)
            }
            Format::Text => explainer.each(|place, explanation| {
                let gap = if place == 0 { "" } else { "\n" };
                write!(out, "{gap}{}", render::text(explanation, lang))
            }),
            Format::Markdown => explainer.each(|_, explanation| write!(out, "{}", render::markdown(explanation, lang))),
            Format::Html => {
                let mut all = Vec::new();
                explainer.each(|_, explanation| {
                    all.push(explanation.clone());
                    Ok(())
                })?;
                write!(out, "{}", render::html(&all, lang))
            }
            Format::Json => json(explainer, self.all, &mut out),
        };
        match written.and_then(|()| out.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(code),
            other => other.map(|()| code).context("cannot write to standard output"),
        }
    }
}

/// Reads a file or folder; what cannot be read is a problem of the bundle.
fn read(path: &Path, bundle: &mut Bundle, expect: Expect) {
    let name = path.display().to_string();
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = match std::fs::read_dir(path) {
            Ok(entries) => entries.filter_map(Result::ok).map(|entry| entry.path()).collect(),
            Err(error) => return bundle.problems.push(format!("{name}: {error}")),
        };
        entries.sort();
        for entry in entries {
            let known = entry
                .extension()
                .is_some_and(|extension| ["json", "yaml", "yml"].iter().any(|known| extension.eq_ignore_ascii_case(known)));
            if entry.is_dir() && !entry.is_symlink() || known {
                read(&entry, bundle, expect);
            }
        }
        return;
    }
    match bytes(path) {
        Ok(bytes) => bundle.read(&name, bytes, expect),
        Err(error) => bundle.problems.push(format!("{name}: {error}")),
    }
}

pub(crate) fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(path)
}

/// Explains the chosen pods one after the other, so that only one is held as a value.
struct Explainer<'a> {
    bundle: &'a Bundle,
    columns: ServerColumns,
    chosen: Vec<&'a Found>,
    events: HashMap<&'a str, Vec<&'a Event>>,
    kills: Option<&'a KernelKills>,
    server: ServerVersion,
    lang: Lang,
    flags: Vec<String>,
    online: bool,
    logs: Option<Cluster>,
}

impl<'a> Explainer<'a> {
    fn new(args: &Args, bundle: &'a Bundle, kills: Option<&'a KernelKills>, columns: ServerColumns) -> anyhow::Result<Self>
    where
        Args: 'a,
    {
        let mut events: HashMap<&str, Vec<&Event>> = HashMap::new();
        for event in &bundle.events {
            events.entry(&event.name).or_default().push(event);
        }
        let all = if bundle.pods.is_empty() { &bundle.others } else { &bundle.pods };
        let online = args.files.is_empty();
        let selector = args.selector.as_deref().filter(|_| !online).map(str::parse::<Selector>).transpose()?;
        let wanted = |found: &&Found| {
            if online || (args.names.is_empty() && args.cluster.namespace.is_none() && selector.is_none()) {
                return true;
            }
            let value = bundle.value(found);
            if selector.as_ref().is_some_and(|selector| !selector.matches(&value)) {
                return false;
            }
            let meta =
                |key: &str| value.get("metadata").and_then(|meta| meta.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned();
            let named = args.names.is_empty()
                || args.names.iter().any(|name| *name == meta("name") || name.strip_prefix("pod/") == Some(&meta("name")));
            named && args.cluster.namespace.as_ref().is_none_or(|namespace| *namespace == meta("namespace"))
        };
        Ok(Self {
            bundle,
            columns,
            chosen: all.iter().filter(wanted).collect(),
            events,
            kills,
            server: args.server_version.unwrap_or_default(),
            lang: args.voice.lang(),
            flags: args.cluster.flags(),
            online,
            logs: (args.logs && online).then(|| args.cluster.clone()),
        })
    }

    fn one(&self, found: &Found) -> Explanation {
        let value = self.bundle.value(found);
        let name = value.get("metadata").and_then(|meta| meta.get("name")).and_then(Value::as_str).unwrap_or_default();
        let node = value.get("spec").and_then(|spec| spec.get("nodeName")).and_then(Value::as_str).unwrap_or_default();
        let mut events: Vec<&Event> = Vec::new();
        if name.is_empty() {
            // A pod without a name may own any event.
            events.extend(&self.bundle.events);
        } else {
            for key in ["", name, node] {
                // Events that name no object can belong to a pod only where there is no other.
                if !key.is_empty() || self.chosen.len() == 1 {
                    events.extend(self.events.get(key).into_iter().flatten());
                }
            }
        }
        events.sort_by_key(|event| event.last);
        let flags = &self.flags;
        let input = Input {
            pod: &value,
            events: &events,
            kills: self.kills,
            server: self.server,
            lang: self.lang,
            logs: &[],
            kubectl_flags: flags,
        };
        let explanation = podsight_explain::explain(&input);
        let well = explanation.causes.first().is_none_or(|best| best.cause.group() == Group::Normal);
        let mut explanation = match self.logs.as_ref().filter(|_| !well) {
            Some(cluster) => podsight_explain::explain(&Input { logs: &logs(cluster, &explanation), ..input }),
            None => explanation,
        };
        self.trust_server(&mut explanation);
        explanation
    }

    /// Takes over the server's own columns, where it was asked: it may be of another version, or later by a moment.
    fn trust_server(&self, explanation: &mut Explanation) {
        let Some(theirs) =
            explanation.name.as_deref().and_then(|name| self.columns.of(explanation.namespace.as_deref().unwrap_or_default(), name))
        else {
            return;
        };
        let ours = &explanation.columns;
        if (&ours.status, &ours.ready, ours.restarts) != (&theirs.status, &theirs.ready, theirs.restarts) {
            output::debug(&format!(
                "{}: the server says {} {} {}, computed here it is {} {} {}",
                explanation.name.as_deref().unwrap_or_default(),
                theirs.status,
                theirs.ready,
                theirs.restarts,
                ours.status,
                ours.ready,
                ours.restarts
            ));
        }
        explanation.columns = podsight_explain::status::Columns { last_restart: ours.last_restart, ..theirs.clone() };
    }

    fn each(&self, mut take: impl FnMut(usize, &Explanation) -> std::io::Result<()>) -> std::io::Result<()> {
        self.chosen.iter().enumerate().try_for_each(|(place, found)| take(place, &self.one(found)))
    }
}

/// The last lines of the container that the first cause is about: those of the run before, where there was one. Without them the explanation stands.
fn logs(cluster: &Cluster, explanation: &Explanation) -> Vec<(String, String)> {
    let (Some(pod), Some(container)) = (&explanation.name, explanation.causes.first().and_then(|cause| cause.container.as_ref())) else {
        return Vec::new();
    };
    let words = |previous: bool| {
        let mut words: Vec<String> = ["logs", pod, "-c", container, "--tail=20"].map(str::to_owned).into();
        words.extend(explanation.namespace.iter().flat_map(|namespace| ["-n".to_owned(), namespace.clone()]));
        words.extend(previous.then(|| "--previous".to_owned()));
        words
    };
    let log = cluster.run(&words(true)).or_else(|_| cluster.run(&words(false)));
    match log {
        Ok(log) => vec![(container.clone(), String::from_utf8_lossy(&log).into_owned())],
        Err(error) => {
            output::note(&format!("{error:#}"));
            Vec::new()
        }
    }
}

fn json(explainer: &Explainer<'_>, unwell: bool, out: &mut impl std::io::Write) -> std::io::Result<()> {
    write!(out, "{{\"schema\":\"{}\",\"pods\":[", render::SCHEMA)?;
    let mut first = true;
    explainer.each(|_, explanation| {
        if unwell && urgency(explanation) == Urgency::Well {
            return Ok(());
        }
        let gap = if std::mem::take(&mut first) { "\n" } else { ",\n" };
        write!(out, "{gap}{}", render::json(explanation)?)
    })?;
    writeln!(out, "\n]}}")
}

/// One line a pod, worst first; pods that are well are only counted.
fn lines(explainer: &Explainer<'_>, lang: Lang, out: &mut impl std::io::Write) -> std::io::Result<()> {
    let mut lines = Vec::new();
    let mut well = 0_u64;
    explainer.each(|_, explanation| {
        match (urgency(explanation), render::Line::of(explanation, lang)) {
            (Urgency::Well, _) | (_, None) => well += 1,
            (urgency, Some(line)) => {
                let name = (explanation.namespace.clone(), explanation.name.clone());
                lines.push(((urgency, std::cmp::Reverse(explanation.columns.restarts), name), line));
            }
        }
        Ok(())
    })?;
    lines.sort_by(|(one, _), (other, _)| one.cmp(other));
    let lines: Vec<render::Line> = lines.into_iter().map(|(_, line)| line).collect();
    for line in render::lines(&lines) {
        write!(out, "{line}")?;
    }
    match lang {
        Lang::En => writeln!(out, "{} not well or with a past, {well} well", lines.len()),
        Lang::Zh => writeln!(out, "{} 个不正常或曾经失败，{well} 个正常", lines.len()),
    }
}

/// How soon somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    /// It does not work now.
    Down,
    /// It has ended for good without its work done: a new one may run already.
    Over,
    /// It works, and has failed before.
    Past,
    Well,
}

fn urgency(explanation: &Explanation) -> Urgency {
    let Some(best) = explanation.causes.first() else { return Urgency::Well };
    if best.cause.group() == Group::Normal {
        return if explanation.columns.restarts > 0 { Urgency::Past } else { Urgency::Well };
    }
    let works =
        explanation.columns.status == "Running" && explanation.columns.ready.split_once('/').is_some_and(|(ready, total)| ready == total);
    match (works, explanation.over) {
        (true, _) => Urgency::Past,
        (_, true) => Urgency::Over,
        _ => Urgency::Down,
    }
}
