//! `podsight reason`.

use crate::args::{Format, Output};
use crate::output;
use podsight_cause::Lang;
use podsight_explain::reason::{self, Entry, Reason};
use podsight_explain::render;
use std::process::ExitCode;

/// What a STATUS or reason of a pod means
///
/// Waiting, terminated and pod reasons, reasons of conditions, and the forms that only the STATUS column has. Without a name: the list.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The name as it is shown; without it the list
    #[arg(value_name = "NAME", num_args = 0..)]
    name: Vec<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(serde::Serialize)]
struct Report {
    schema: &'static str,
    reasons: Vec<Entry>,
}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        let lang = self.output.voice.lang();
        // Names with blanks, such as `seccomp killed`, come as one word or as two.
        let name = self.name.join(" ");
        let reasons: Vec<&Reason> = if name.is_empty() { reason::all().collect() } else { reason::find(&name) };
        if reasons.is_empty() {
            return unknown(&name, lang);
        }
        match self.output.format {
            Format::Text if name.is_empty() => output::print(&self.output.voice, &list(&reasons, lang), ExitCode::SUCCESS),
            Format::Text => output::print(&self.output.voice, &pages(&reasons, lang), ExitCode::SUCCESS),
            Format::Json => {
                let report =
                    Report { schema: "podsight.dev/reason/v1", reasons: reasons.iter().map(|reason| Entry::new(reason, lang)).collect() };
                match serde_json::to_string_pretty(&report) {
                    Ok(json) => output::print_raw(&format!("{json}\n"), ExitCode::SUCCESS),
                    Err(error) => output::fail(&anyhow::Error::new(error).context("cannot write JSON")),
                }
            }
        }
    }
}

fn unknown(name: &str, lang: Lang) -> ExitCode {
    let like = reason::like(name).join(", ");
    let shown: String = name.chars().take(80).collect();
    let shown = render::clean(&shown);
    output::note(&match (lang, like.is_empty()) {
        (Lang::En, true) => format!(
            "`{shown}` is no reason that Kubernetes or its runtimes are known to give; the kubelet also passes raw error texts on as reasons"
        ),
        (Lang::En, false) => format!("`{shown}` is no reason that is known; did you mean {like}?"),
        (Lang::Zh, true) => format!("“{shown}”不是 Kubernetes 或其运行时已知的原因；kubelet 有时也会把原始错误文本当作原因"),
        (Lang::Zh, false) => format!("“{shown}”不是已知的原因；是不是想查 {like}？"),
    });
    ExitCode::from(output::FAILED)
}

fn list(reasons: &[&Reason], lang: Lang) -> String {
    let width = reasons.iter().map(|reason| reason.name.len()).max().unwrap_or_default();
    let mut channel = None;
    let mut lines = Vec::new();
    for reason in reasons {
        if channel != Some(reason.channel) {
            channel = Some(reason.channel);
            lines.push(format!("{}{}", if lines.is_empty() { "" } else { "\n" }, reason.channel.words(lang)));
        }
        let end = if lang == Lang::En { ". " } else { "。" };
        let first = reason.meaning(lang).split_inclusive(end).next().unwrap_or_default().trim_end();
        lines.push(format!("  {:width$}  {first}", reason.name));
    }
    lines.join("\n") + "\n"
}

fn pages(reasons: &[&Reason], lang: Lang) -> String {
    reasons.iter().map(|reason| page(reason, lang)).collect::<Vec<_>>().join("\n")
}

fn page(reason: &Reason, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    let mut lines = vec![format!("{} · {}", reason.name, reason.channel.words(lang)), format!("  {}", reason.meaning(lang))];
    if !reason.aliases.is_empty() {
        lines.push(format!("  {}: {}", if zh { "又名" } else { "also" }, reason.aliases.join(", ")));
    }
    lines.push(format!("  {}: {}", if zh { "来源" } else { "from" }, reason.origin));
    let versions = match (reason.since, reason.until, zh) {
        (None, None, _) => None,
        (Some(since), None, false) => Some(format!("since Kubernetes {since}")),
        (Some(since), Some(until), false) => Some(format!("Kubernetes {since} to {until}")),
        (None, Some(until), false) => Some(format!("until Kubernetes {until}")),
        (Some(since), None, true) => Some(format!("自 Kubernetes {since} 起")),
        (Some(since), Some(until), true) => Some(format!("Kubernetes {since} 至 {until}")),
        (None, Some(until), true) => Some(format!("到 Kubernetes {until} 为止")),
    };
    lines.extend(versions.map(|versions| format!("  {versions}")));
    lines.push(format!("  {}", if zh { "常见原因" } else { "Usual causes" }));
    for cause in reason.causes {
        lines.push(format!("    {cause}: {}", cause.meaning(lang)));
    }
    lines.push(format!("  {}\n    {}", if zh { "如何区分" } else { "What tells them apart" }, reason.apart(lang)));
    lines.push(format!("  {}\n    {}\n    podsight explain POD", if zh { "下一步" } else { "Next" }, reason.command));
    lines.join("\n") + "\n"
}
