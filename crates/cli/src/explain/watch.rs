//! `podsight explain -w`.

use super::{Args, Format, target};
use crate::output;
use anyhow::{Context as _, bail};
use podsight_explain::{Event, Input, render};
use serde_json::Value;
use std::collections::HashMap;
use std::process::{ExitCode, Stdio};

/// Prints the explanation of each pod as it is now, and again whenever it changes.
pub(super) fn watch(args: &Args) -> anyhow::Result<ExitCode> {
    let lang = args.voice.lang();
    let server = args.server_version.or_else(|| args.cluster.server_minor().and_then(|minor| minor.parse().ok())).unwrap_or_default();
    let mut asks = target::asks(args)?;
    let (Some(ask), true) = (asks.pop(), asks.is_empty()) else {
        bail!("kubectl watches one workload, one selector or pods by name at a time")
    };
    if args.names.len() > 1 {
        bail!("kubectl watches one pod at a time; give a selector for more");
    }
    let words = [&ask.words[..], &["-o", "json", "--watch"].map(str::to_owned)].concat();
    let flags = args.cluster.flags();
    let mut child = args.cluster.command(&words).stdout(Stdio::piped()).spawn().context("cannot run kubectl; is it on the PATH?")?;
    let stdout = child.stdout.take().context("kubectl has no output")?;
    let mut shown: HashMap<String, String> = HashMap::new();
    for pod in serde_json::Deserializer::from_reader(std::io::BufReader::new(stdout)).into_iter::<Value>() {
        let pod = pod.context("kubectl printed no JSON")?;
        if !ask.means(&pod) {
            continue;
        }
        let events = events(args, &pod);
        let events: Vec<&Event> = events.iter().collect();
        let input = Input { pod: &pod, events: &events, kills: None, server, lang, logs: &[], kubectl_flags: &flags };
        let explanation = podsight_explain::explain(&input);
        let line = render::Line::of(&explanation, lang).map(|line| line.to_string()).unwrap_or_default();
        let uid = pod.get("metadata").and_then(|meta| meta.get("uid")).and_then(Value::as_str).unwrap_or_default().to_owned();
        if shown.get(&uid) == Some(&line) {
            continue;
        }
        let text = match args.format {
            Format::Json => render::json(&explanation).context("cannot write JSON")? + "\n",
            Format::Markdown => render::markdown(&explanation, lang),
            Format::Text | Format::Html => line.clone(),
        };
        shown.insert(uid, line);
        if output::print(&args.voice, &text, ExitCode::SUCCESS) != ExitCode::SUCCESS {
            break;
        }
    }
    let status = child.wait().context("kubectl went away")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::from(output::FAILED) })
}

/// The pod's events as they are now; none where they may not be read.
fn events(args: &Args, pod: &Value) -> Vec<Event> {
    let meta = |key: &str| pod.get("metadata").and_then(|meta| meta.get(key)).and_then(Value::as_str).unwrap_or_default();
    let mut words: Vec<String> = ["get", "events"].map(str::to_owned).into();
    words.extend([
        "--field-selector".to_owned(),
        format!("involvedObject.name={}", meta("name")),
        "--namespace".to_owned(),
        meta("namespace").to_owned(),
    ]);
    let Ok(list) = args.cluster.json(&words) else { return Vec::new() };
    let items = list.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().enumerate().map(|(place, event)| Event::from_value(event, format!("/items/{place}"))).collect()
}
