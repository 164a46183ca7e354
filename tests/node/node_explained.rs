//! Pods that really fail, one for each cause, and the whole of what `podsight explain` says of them, in both languages.

use crate::causes::{Manifest, folder, manifests};
use crate::each::{self, Place};
use crate::hand;
use crate::registry::Registry;
use crate::table;
use anyhow::{Context as _, Result, bail};
use podsight_evidence::annotation;
use podsight_explain::status::{self, ServerVersion};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::{LIMIT, items, shown, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between two looks at the pods.
const PAUSE: Duration = Duration::from_millis(700);

/// What differs from run to run and from machine to machine.
const FILTERS: [(&str, &str); 19] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[time]"),
    (r"e2e-explained-[a-z]+-\d+", "[namespace]"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[uid]"),
    (r"\b[0-9a-f]{64}\b", "[container id]"),
    // Where a long text is cut depends on the paths, ids and ports in it.
    (r"(?m)^(    [^\x22\n]{0,60})[^\n]* … [^\n]*?((?: [^ \n]+){2}  (?:pod|event|状态|事件) )", "$1 … $2"),
    (r"-[0-9a-f]{8,10}-[a-z0-9]{5}\b", "-[hash]"),
    (r"/items/\d+", "/items/[n]"),
    (r" \(x\d+\)", ""),
    // How often something has begun again says how slow the machine is.
    (r"\b\d+ restarts?\b", "[n] restarts"),
    (r"\d+ 次重启|已重启 \d+ 次", "[n] 次重启"),
    (r"重启 \d+ 次", "重启 [n] 次"),
    (r"kernel kills \d+", "kernel kills [n]"),
    (r"内核杀死 \d+ 次", "内核杀死 [n] 次"),
    (r"127\.0\.0\.1:\d{4,5}\b", "[registry]"),
    (r"127\.77\.0\.\d+", "[registry]"),
    (r"\b10\.\d+\.\d+\.\d+\b", "[pod ip]"),
    // Without the guest there is one node less.
    (r"0/\d+ nodes", "0/[n] nodes"),
    (r"\b\d+ (node\(s\)|Insufficient|Preemption|No preemption)", "[n] $1"),
    (r"(ran|after|运行了?) \d+s", "$1 [seconds]"),
];

#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-explained", |place| explained(place, "explained"))
}

#[test]
fn in_the_guest() -> Result<()> {
    each::on(Kind::Guest, "e2e-explained", |place| explained(place, "explained_in_guest"))
}

fn explained(place: &Place<'_>, folder_name: &str) -> Result<()> {
    let all = manifests(folder_name)?;
    let said = texts(place, &all);
    // A manifest adds a node of this name, which is the cluster's and not the namespace's.
    drop(place.testbed.kubectl.output(&["delete", "node", &place.namespace.name, "--ignore-not-found", "--wait=false"]));
    let (texts, left) = said?;
    // So many pods in so many states are what the columns are to be tried on.
    assert!(table::agrees(place.testbed, &place.namespace.name)? >= texts.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder(folder_name)?);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (from, to) in FILTERS {
        settings.add_filter(from, to);
    }
    // All that differ, and not the first alone.
    let mut differ = Vec::new();
    for manifest in &all {
        let Some(text) = texts.get(&manifest.name) else { continue };
        let mut settings = settings.clone();
        if let Some(varies) = manifest.directive("varies") {
            settings.add_filter(varies, "[varies]");
        }
        if settings.bind(|| catch_unwind(AssertUnwindSafe(|| insta::assert_snapshot!(manifest.name.as_str(), text)))).is_err() {
            differ.push(manifest.name.as_str());
        }
    }
    assert!(differ.is_empty(), "explained in other words: {}", differ.join(", "));
    assert!(left.is_empty(), "these did not fail as they should:\n{}", left.join("\n"));
    Ok(())
}

/// Lets every manifest fail and explains its pod then; gives what was said, and what did not come to it.
fn texts(place: &Place<'_>, all: &[Manifest]) -> Result<(BTreeMap<String, String>, Vec<String>)> {
    let registry = Registry::start()?;
    let fill = |text: &str| {
        text.replace("$REGISTRY", &registry.plain).replace("$TLS", &registry.without_tls).replace("$NAMESPACE", &place.namespace.name)
    };
    let mut agent = Some(place.agent_needed()?);
    prepare(place)?;
    // The pods come last, when all that they need is known to everybody.
    let first = all.iter().filter(|manifest| manifest.directive("after").is_none()).map(|manifest| fill(&manifest.text));
    let documents: Vec<String> = first.flat_map(|text| text.split("\n---\n").map(str::to_owned).collect::<Vec<_>>()).collect();
    let (pods, rest): (Vec<String>, Vec<String>) =
        documents.into_iter().partition(|text| ["Pod", "Deployment"].iter().any(|kind| text.contains(&format!("\nkind: {kind}\n"))));
    create(place, &rest)?;
    create(place, &pods)?;
    let mut texts = BTreeMap::new();
    let mut done = BTreeSet::new();
    // A status and its event are written one after the other: a pod is looked at when it has stayed as it is.
    let mut seen = BTreeMap::new();
    let start = Instant::now();
    loop {
        let list = place.namespace.get(&["pods,events"])?;
        let left: Vec<&Manifest> = all.iter().filter(|manifest| !texts.contains_key(&manifest.name)).collect();
        if left.is_empty() {
            return Ok((texts, Vec::new()));
        }
        if left.iter().all(|manifest| manifest.directive("kills").is_none()) {
            drop(agent.take());
        }
        for manifest in &left {
            if let Some(status) = manifest.directive("after")
                && !left.iter().any(|other| other.name != manifest.name && other.directive("until") == Some(status))
                && done.insert(manifest.name.clone())
            {
                create(place, &[fill(&manifest.text)])?;
            }
            let Some(pod) = manifest.pod(&list) else { continue };
            if let Some(action) = manifest.action(pod)
                && done.insert(manifest.name.clone())
            {
                act(place, &manifest.name, action, &fill)?;
            }
            let events = events_of(&list, pod);
            let acted = manifest.directive("do").is_none() || done.contains(&manifest.name);
            let version = text(pod, "/metadata/resourceVersion").to_owned();
            if acted && manifest.reached(pod, &events) && seen.insert(manifest.name.clone(), version.clone()) == Some(version) {
                texts.insert(manifest.name.clone(), explain(place, manifest, pod, &events)?);
            }
        }
        if start.elapsed() > LIMIT {
            return Ok((texts, left.iter().map(|manifest| state(manifest, &list)).collect()));
        }
        sleep(PAUSE);
    }
}

/// How a pod stands that is not as it should be.
fn state(manifest: &Manifest, list: &Value) -> String {
    let Some(pod) = manifest.pod(list) else { return format!("{}: no pod", manifest.name) };
    let columns = status::columns(pod, ServerVersion::NEWEST);
    let said: Vec<String> =
        events_of(list, pod).iter().map(|event| format!("\n  {}: {}", text(event, "/reason"), text(event, "/message"))).collect();
    format!("{}: {columns:?}{}", manifest.name, said.concat())
}

/// Pods without the token's volume start faster, and one seat on the node is something to fight for.
fn prepare(place: &Place<'_>) -> Result<()> {
    let account = place.namespace.kubectl(&["patch", "serviceaccount", "default", "-p", r#"{"automountServiceAccountToken":false}"#])?;
    let seat = ["capacity", "allocatable"].map(|list| {
        let path = format!("/status/{list}/podsight.test~1{}", place.namespace.name);
        json!({"op": "add", "path": path, "value": "1"})
    });
    let seat = json!(seat);
    let node =
        place.namespace.kubectl(&["patch", "node", &place.node.name, "--subresource=status", "--type=json", "-p", &seat.to_string()])?;
    for said in [account, node] {
        if !said.status.success() {
            bail!("{}", shown(&said));
        }
    }
    Ok(())
}

fn create(place: &Place<'_>, manifests: &[String]) -> Result<()> {
    if manifests.is_empty() { Ok(()) } else { place.namespace.create(&manifests.join("\n---\n")) }
}

fn act(place: &Place<'_>, name: &str, step: &str, fill: &impl Fn(&str) -> String) -> Result<()> {
    let said = match step {
        "delete" => place.namespace.kubectl(&["delete", "pod", name, "--wait=false"])?,
        "evict" => {
            let wanted =
                json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": place.namespace.name}});
            let manifest = place.namespace.file("eviction.json", &wanted.to_string())?;
            let path = format!("/api/v1/namespaces/{}/pods/{name}/eviction", place.namespace.name);
            place.namespace.kubectl(&["create", "--raw", &path, "-f", &manifest])?
        }
        "create" => {
            let path = folder("explained")?.join(format!("{name}.then.yaml"));
            let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            return create(place, &[fill(&text)]);
        }
        other => bail!("{name}: nothing is known of `{other}`"),
    };
    if said.status.success() { Ok(()) } else { bail!("{}", shown(&said)) }
}

/// The events about a pod, oldest first.
fn events_of<'l>(list: &'l Value, pod: &Value) -> Vec<&'l Value> {
    let uid = text(pod, "/metadata/uid");
    items(list).iter().filter(|object| text(object, "/kind") == "Event" && text(object, "/involvedObject/uid") == uid).collect()
}

/// What is said of a pod as it was read from the API server, in both languages.
fn explain(place: &Place<'_>, manifest: &Manifest, pod: &Value, events: &[&Value]) -> Result<String> {
    let mut pod = pod.clone();
    // What the agent says of an end without a kill comes at any time, or not at all while another test holds the agent.
    if manifest.directive("kills").is_none()
        && let Some(annotations) = pod.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut)
    {
        annotations.remove(annotation::OOM);
    }
    let objects = [&[&pod], events].concat();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let file = place.namespace.file(&format!("{}.json", manifest.name), &format!("{list:#}"))?;
    let mut words = vec!["explain", "-f", &file];
    let log;
    if manifest.directive("kernel-log").is_some() {
        log = place.namespace.file("kernel.log", &hand::kernel_log(place, "kernel-log")?)?;
        words.extend(["--kernel-log", &log]);
    }
    let mut all = String::new();
    for lang in ["en", "zh"] {
        let said = place.testbed.podsight(&[&words[..], &["--lang", lang]].concat())?;
        if !said.status.success() || !said.stderr.is_empty() {
            bail!("{}", shown(&said));
        }
        all.push_str(&said.stdout);
    }
    Ok(all)
}
