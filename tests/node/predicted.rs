//! The cases of `predicted/`: a manifest each, with what it comes to in the comment at its head.
//!
//! The stem of the file is the rule's id; behind a dot it says which of several cases it is. The comment's lines are:
//!
//! * `cause: ID`: the cause that the finding predicts and that `podsight explain` finds; `none` where no pod comes into being.
//! * `seen: refused TEXT`: the API server refuses it and says this.
//! * `seen: event KIND REASON TEXT`: an Event about an object of this kind.
//! * `seen: waiting REASON TEXT`: what the container waits for.
//! * `seen: ended CODE REASON TEXT`: how the container ended, now or the last time. `A|B` is either reason: what the runtime hears first.
//! * `seen: failed REASON TEXT`: how the pod as a whole ended.
//! * `needs: PATH`: a program of the machine that the pod runs.
//! * `checked: cluster`: only the cluster tells: the file is checked with `--cluster` after it was applied.
//! * `namespace: KEY=VALUE`: a label of the namespace.
//! * `then: delete`: the pod is deleted as soon as it runs.

use anyhow::{Context as _, Result, bail};
use podsight_tests::testbed::text;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One case.
#[derive(Debug)]
pub(crate) struct Case {
    /// The stem of the file.
    pub(crate) name: String,
    /// The rule that flags it.
    pub(crate) rule: String,
    /// The file.
    pub(crate) file: PathBuf,
    /// The cause that is predicted.
    pub(crate) cause: Option<String>,
    /// What it comes to; all of it.
    pub(crate) seen: Vec<Seen>,
    /// Programs of the machine that it runs.
    pub(crate) needs: Vec<PathBuf>,
    /// Whether only the cluster tells.
    pub(crate) needs_cluster: bool,
    /// Labels of the namespace.
    pub(crate) labels: BTreeMap<String, String>,
    /// Whether the pod is deleted as soon as it runs.
    pub(crate) is_deleted: bool,
}

/// Something that a user sees.
#[derive(Debug)]
pub(crate) enum Seen {
    Refused { text: String },
    Event { kind: String, reason: String, text: String },
    Waiting { reason: String, text: String },
    Ended { code: i64, reason: String, text: String },
    Failed { reason: String, text: String },
}

/// The folder of the cases.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("node/predicted")
}

/// All cases in the order of their names.
pub(crate) fn cases() -> Result<Vec<Case>> {
    let folder = folder();
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))? {
        let file = entry.with_context(|| format!("read {}", folder.display()))?.path();
        cases.push(read(&file).with_context(|| format!("read {}", file.display()))?);
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(cases)
}

impl Case {
    /// Whether the kernel kills the container for its memory.
    pub(crate) fn is_killed(&self) -> bool {
        self.cause.as_deref().is_some_and(|cause| cause.starts_with("oom-"))
    }
}

fn read(file: &Path) -> Result<Case> {
    let name = file.file_stem().and_then(|stem| stem.to_str()).context("its name is text")?.to_owned();
    let rule = name.split('.').next().unwrap_or_default().to_owned();
    let mut read = Case {
        name,
        rule,
        file: file.to_owned(),
        cause: None,
        seen: Vec::new(),
        needs: Vec::new(),
        needs_cluster: false,
        labels: BTreeMap::new(),
        is_deleted: false,
    };
    let mut says_cause = false;
    for line in std::fs::read_to_string(file)?.lines() {
        let Some(line) = line.strip_prefix("# ") else { break };
        match line.split_once(": ").with_context(|| format!("no key in {line:?}"))? {
            ("cause", cause) => {
                says_cause = true;
                read.cause = Some(cause.to_owned()).filter(|cause| cause != "none");
            }
            ("seen", seen) => read.seen.push(Seen::parse(seen)?),
            ("needs", path) => read.needs.push(path.into()),
            ("checked", "cluster") => read.needs_cluster = true,
            ("namespace", label) => {
                let (key, value) = label.split_once('=').context("a label has a value")?;
                read.labels.insert(key.to_owned(), value.to_owned());
            }
            ("then", "delete") => read.is_deleted = true,
            _ => bail!("{line:?} is not understood"),
        }
    }
    if !says_cause || read.seen.is_empty() {
        bail!("it must say the cause and what is seen");
    }
    Ok(read)
}

impl Seen {
    fn parse(line: &str) -> Result<Self> {
        let words = |most: usize| {
            let mut words = line.splitn(most, ' ').skip(1).map(str::to_owned);
            move || words.next().unwrap_or_default()
        };
        Ok(match line.split(' ').next().unwrap_or_default() {
            "refused" => Self::Refused { text: words(2)() },
            "event" => {
                let mut word = words(4);
                Self::Event { kind: word(), reason: word(), text: word() }
            }
            "waiting" => {
                let mut word = words(3);
                Self::Waiting { reason: word(), text: word() }
            }
            "failed" => {
                let mut word = words(3);
                Self::Failed { reason: word(), text: word() }
            }
            "ended" => {
                let mut word = words(4);
                let code = word();
                Self::Ended { code: code.parse().with_context(|| format!("{code:?} is no exit code"))?, reason: word(), text: word() }
            }
            _ => bail!("{line:?} is nothing that is seen"),
        })
    }

    /// Whether the namespace with these pods and Events shows it.
    pub(crate) fn is_in(&self, pods: &[Value], events: &[Value]) -> bool {
        let says = |value: &Value, pointer: &str, wanted: &str| text(value, pointer).contains(wanted);
        match self {
            Self::Refused { .. } => false,
            Self::Event { kind, reason, text: wanted } => events.iter().any(|event| {
                text(event, "/involvedObject/kind") == kind && text(event, "/reason") == reason && says(event, "/message", wanted)
            }),
            Self::Waiting { reason, text: wanted } => containers(pods)
                .any(|status| text(status, "/state/waiting/reason") == reason && says(status, "/state/waiting/message", wanted)),
            Self::Failed { reason, text: wanted } => {
                pods.iter().any(|pod| text(pod, "/status/reason") == reason && says(pod, "/status/message", wanted))
            }
            Self::Ended { code, reason, text: wanted } => containers(pods).any(|status| {
                ["/state/terminated", "/lastState/terminated"].iter().any(|state| {
                    status.pointer(state).is_some_and(|ended| {
                        ended.get("exitCode").and_then(Value::as_i64) == Some(*code)
                            && reason.split('|').any(|reason| text(ended, "/reason") == reason)
                            && says(ended, "/message", wanted)
                    })
                })
            }),
        }
    }
}

/// The statuses of the pods' containers.
fn containers(pods: &[Value]) -> impl Iterator<Item = &Value> {
    pods.iter().flat_map(|pod| {
        let of = |list: &str| pod.pointer(&format!("/status/{list}")).and_then(Value::as_array).into_iter().flatten();
        of("initContainerStatuses").chain(of("containerStatuses"))
    })
}
