//! Which pods of the cluster are meant, and what is read of them.

use super::Args;
use super::bundle::{Bundle, Expect};
use anyhow::{Context as _, bail};
use serde_json::Value;

/// Reads the pods that the arguments mean, with their events.
pub(super) fn fetch(args: &Args, bundle: &mut Bundle) -> anyhow::Result<()> {
    let cluster = &args.cluster;
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).chain(cluster.scope()).collect::<Vec<String>>();
    let mut names = Vec::new();
    for name in &args.names {
        match name.split_once('/') {
            None => names.push(name.clone()),
            Some(("pod" | "pods" | "po", name)) => names.push(name.to_owned()),
            Some(_) => {
                let selector = selector_of(args, name)?;
                let mut get = words(&["get", "pods", "-l"]);
                get.insert(3, selector);
                read(args, bundle, get)?;
            }
        }
    }
    if !names.is_empty() {
        let mut get = words(&["get", "pods"]);
        get.splice(2..2, names);
        read(args, bundle, get)?;
    }
    if args.names.is_empty() {
        let mut get = words(&["get", "pods"]);
        if let Some(selector) = &args.selector {
            get.extend(["-l".to_owned(), selector.clone()]);
        }
        read(args, bundle, get)?;
    }
    // Without the right to read events the pods alone say enough for an answer.
    let mut get = words(&["get", "events"]);
    get.extend(["-o".to_owned(), "json".to_owned()]);
    match cluster.run(&get) {
        Ok(events) => bundle.read("events", events, Expect::Events),
        Err(error) => bundle.problems.push(format!("{error:#}")),
    }
    Ok(())
}

/// The words that mean the same pods to one `kubectl get pods`: names, or a selector.
pub(super) fn pod_words(args: &Args) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut selectors: Vec<String> = args.selector.iter().cloned().collect();
    for name in &args.names {
        match name.split_once('/') {
            None => names.push(name.clone()),
            Some(("pod" | "pods" | "po", name)) => names.push(name.to_owned()),
            Some(_) => selectors.push(selector_of(args, name)?),
        }
    }
    if names.len() + selectors.len() > 1 {
        bail!("kubectl watches one pod, one workload or one selector at a time");
    }
    names.extend(selectors.into_iter().flat_map(|selector| ["-l".to_owned(), selector]));
    Ok(names)
}

fn read(args: &Args, bundle: &mut Bundle, mut get: Vec<String>) -> anyhow::Result<()> {
    get.extend(["-o".to_owned(), "json".to_owned()]);
    let pods = args.cluster.run(&get)?;
    bundle.read("pods", pods, Expect::Anything);
    Ok(())
}

/// The labels of the pods that a workload makes.
fn selector_of(args: &Args, workload: &str) -> anyhow::Result<String> {
    let mut get = vec!["get".to_owned(), workload.to_owned()];
    get.extend(args.cluster.scope());
    let object = args.cluster.json(&get)?;
    let spec = object.get("spec");
    if object.get("kind").and_then(Value::as_str) == Some("CronJob") {
        bail!("{workload}: a CronJob has no pods of its own; name one of its jobs, as job/NAME");
    }
    let selector =
        spec.and_then(|spec| spec.get("selector")).with_context(|| format!("{workload} has no selector, so its pods are not known"))?;
    let labels = selector
        .get("matchLabels")
        .unwrap_or(selector)
        .as_object()
        .with_context(|| format!("the selector of {workload} is no set of labels"))?;
    let list: Vec<String> = labels.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
    if list.is_empty() {
        bail!("the selector of {workload} is empty, so its pods are not known");
    }
    Ok(list.join(","))
}
