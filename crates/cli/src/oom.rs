//! `podsight oom`.

use crate::args::{Format, Output};
use crate::explain::bundle::{Bundle, Expect};
use crate::explain::cluster::Cluster;
use crate::output;
use anyhow::Context as _;
use podsight_cause::Lang;
use podsight_evidence::annotation::{self, ContainerEvidence};
use podsight_explain::render;
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use unicode_width::UnicodeWidthStr as _;

/// The confirmed out-of-memory kills of the cluster's pods
///
/// They come from the kernel's own reports, which podsight's agent writes on the pods; kills inside containers that run on are among them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Read pods from a file instead of the cluster: JSON or YAML, - for standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Go on and print each new kill
    #[arg(short = 'w', long, conflicts_with = "files")]
    watch: bool,
    /// Only pods with these labels as well
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    selector: Option<String>,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    output: Output,
}

/// The kills of one container.
#[derive(serde::Serialize)]
struct Row {
    namespace: Option<String>,
    pod: Option<String>,
    container: String,
    #[serde(flatten)]
    evidence: ContainerEvidence,
}

#[derive(serde::Serialize)]
struct Report<'a> {
    schema: &'static str,
    kills: &'a [Row],
}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        match self.try_run() {
            Ok(code) => code,
            Err(error) => output::fail(&error),
        }
    }

    fn try_run(self) -> anyhow::Result<ExitCode> {
        let mut bundle = Bundle::default();
        if self.files.is_empty() {
            if self.watch {
                return self.watch();
            }
            let pods = self.cluster.run(&self.get())?;
            bundle.read("pods", pods, Expect::Anything);
        }
        for file in &self.files {
            match crate::explain::bytes(file) {
                Ok(bytes) => bundle.read(&file.display().to_string(), bytes, Expect::Anything),
                Err(error) => bundle.problems.push(format!("{}: {error}", file.display())),
            }
        }
        for problem in &bundle.problems {
            output::note(problem);
        }
        if !self.files.is_empty() && bundle.pods.is_empty() {
            anyhow::bail!("no pod in the input");
        }
        let mut rows: Vec<Row> = bundle.pods.iter().flat_map(|pod| rows(&bundle.value(pod))).collect();
        rows.sort_by(|a, b| {
            b.evidence
                .last
                .cmp(&a.evidence.last)
                .then_with(|| (&a.namespace, &a.pod, &a.container).cmp(&(&b.namespace, &b.pod, &b.container)))
        });
        let lang = self.output.voice.lang();
        match self.output.format {
            Format::Json => {
                let json =
                    serde_json::to_string_pretty(&Report { schema: "podsight.dev/oom/v1", kills: &rows }).context("cannot write JSON")?;
                Ok(output::print_raw(&format!("{json}\n"), ExitCode::SUCCESS))
            }
            Format::Text if rows.is_empty() => {
                output::note(match lang {
                    Lang::En => "no confirmed memory kills (podsight's agent has to run on the nodes to see them)",
                    Lang::Zh => "没有已证实的内存杀死（需要在节点上运行 podsight 代理才能看到）",
                });
                Ok(ExitCode::SUCCESS)
            }
            Format::Text => Ok(output::print(&self.output.voice, &table(&rows, lang, true), ExitCode::SUCCESS)),
        }
    }

    fn get(&self) -> Vec<String> {
        let mut selector = annotation::LABEL.to_owned();
        if let Some(more) = &self.selector {
            selector.push(',');
            selector.push_str(more);
        }
        let mut words: Vec<String> = ["get", "pods", "-o", "json", "-l"].map(str::to_owned).into();
        words.push(selector);
        words.extend(self.cluster.scope());
        words
    }

    /// Prints the kills as they are now, and each change after that.
    fn watch(&self) -> anyhow::Result<ExitCode> {
        let mut words = self.get();
        words.push("--watch".to_owned());
        let mut child = self.cluster.command(&words).stdout(Stdio::piped()).spawn().context("cannot run kubectl; is it on the PATH?")?;
        let stdout = child.stdout.take().context("kubectl has no output")?;
        let mut known: HashMap<(String, String), u64> = HashMap::new();
        let lang = self.output.voice.lang();
        let mut head = true;
        for pod in serde_json::Deserializer::from_reader(std::io::BufReader::new(stdout)).into_iter::<Value>() {
            let pod = pod.context("kubectl printed no JSON")?;
            let uid = pod.get("metadata").and_then(|meta| meta.get("uid")).and_then(Value::as_str).unwrap_or_default().to_owned();
            let new: Vec<Row> = rows(&pod)
                .into_iter()
                .filter(|row| known.insert((uid.clone(), row.container.clone()), row.evidence.kills) != Some(row.evidence.kills))
                .collect();
            if new.is_empty() {
                continue;
            }
            let text = match self.output.format {
                Format::Text => table(&new, lang, std::mem::take(&mut head)),
                Format::Json => new.iter().filter_map(|row| serde_json::to_string(row).ok()).map(|row| row + "\n").collect(),
            };
            if output::print(&self.output.voice, &text, ExitCode::SUCCESS) != ExitCode::SUCCESS {
                break;
            }
        }
        let status = child.wait().context("kubectl went away")?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::from(output::FAILED) })
    }
}

/// What the agent wrote on a pod; nothing where it wrote nothing, or something that it would not write.
fn rows(pod: &Value) -> Vec<Row> {
    let meta = pod.get("metadata");
    let text = |key: &str| meta.and_then(|meta| meta.get(key)).and_then(Value::as_str).map(str::to_owned);
    let Some(written) = meta.and_then(|meta| meta.get("annotations")?.get(annotation::OOM)?.as_str()) else { return Vec::new() };
    let Ok(evidence) = annotation::read(written) else {
        output::note(&format!("{}: the annotation {} cannot be read", text("name").unwrap_or_default(), annotation::OOM));
        return Vec::new();
    };
    evidence
        .containers
        .into_iter()
        .map(|(container, evidence)| Row { namespace: text("namespace"), pod: text("name"), container, evidence })
        .collect()
}

fn table(rows: &[Row], lang: Lang, head: bool) -> String {
    let mut lines: Vec<Vec<String>> = Vec::new();
    if head {
        let names = match lang {
            Lang::En => ["NAMESPACE", "POD", "CONTAINER", "KILLS", "LAST", "LIMIT", "SCOPE", "SHOWN", "VERDICT"],
            Lang::Zh => ["命名空间", "POD", "容器", "次数", "最近", "上限", "范围", "可见", "结论"],
        };
        lines.push(names.map(str::to_owned).to_vec());
    }
    for row in rows {
        let unknown = || "-".to_owned();
        let evidence = &row.evidence;
        let shown = match (evidence.visible, lang) {
            (true, Lang::En) => "yes",
            (false, Lang::En) => "no",
            (true, Lang::Zh) => "是",
            (false, Lang::Zh) => "否",
        };
        let cells = [
            row.namespace.clone().unwrap_or_else(unknown),
            row.pod.clone().unwrap_or_else(unknown),
            row.container.clone(),
            evidence.kills.to_string(),
            evidence.last.clone(),
            evidence.limit.clone().unwrap_or_else(unknown),
            evidence.scope.clone().unwrap_or_else(unknown),
            shown.to_owned(),
            evidence.verdict.clone(),
        ];
        lines.push(cells.iter().map(|cell| render::clean(cell).into_owned()).collect());
    }
    let widths: Vec<usize> =
        (0..9).map(|column| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.width()).max().unwrap_or_default()).collect();
    let mut text = String::new();
    for line in lines {
        let mut row = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            row.push_str(cell);
            row.push_str(&" ".repeat(width - cell.width() + 3));
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}
