//! One container of a pod: its spec and its status side by side.

use crate::view::View as _;
use jiff::Timestamp;
use serde_json::Value;

/// The part that a container plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Init,
    Sidecar,
    Main,
    Ephemeral,
}

/// So much later than the end a runtime may write down the start, in seconds.
const LATE_START: i64 = 5;

/// How a container ended.
#[derive(Clone, Debug)]
pub(crate) struct End<'a> {
    pub(crate) pointer: String,
    pub(crate) code: Option<i64>,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
    pub(crate) started: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
    pub(crate) container_id: &'a str,
}

impl<'a> End<'a> {
    fn read(value: &'a Value, pointer: String) -> Option<Self> {
        value.is_object().then(|| {
            let signal = value.integer("signal").filter(|signal| (1..=64).contains(signal));
            Self {
                pointer,
                code: value.integer("exitCode").filter(|code| *code != 0 || signal.is_none()).or_else(|| signal.map(|signal| 128 + signal)),
                reason: value.text("reason"),
                message: value.text("message"),
                started: value.time("startedAt"),
                finished: value.time("finishedAt"),
                container_id: bare_id(value.text("containerID")),
            }
        })
    }

    /// How long it ran, in whole seconds.
    pub(crate) fn life(&self) -> Option<i64> {
        let (started, finished) = (self.started?, self.finished?);
        let life = finished.as_second() - started.as_second();
        // What ended at once may have its end written down before its start.
        (life >= -LATE_START).then_some(life.max(0))
    }

    pub(crate) fn oom_killed(&self) -> bool {
        self.reason == "OOMKilled"
    }

    /// Whether the runtime or kubelet calls this a clean end. A missing code counts as 0 where nothing else speaks against it.
    pub(crate) fn clean(&self) -> bool {
        !self.oom_killed() && matches!(self.code, Some(0) | None) && matches!(self.reason, "" | "Completed")
    }
}

/// A container.
#[derive(Clone, Debug)]
pub(crate) struct Container<'a> {
    pub(crate) name: &'a str,
    pub(crate) role: Role,
    pub(crate) spec: &'a Value,
    pub(crate) spec_pointer: String,
    pub(crate) status: &'a Value,
    pub(crate) status_pointer: String,
    /// The waiting reason; empty where it does not wait or gives none.
    pub(crate) waiting: &'a str,
    pub(crate) waiting_message: &'a str,
    pub(crate) is_waiting: bool,
    /// Since when it runs.
    pub(crate) running: bool,
    pub(crate) running_since: Option<Timestamp>,
    pub(crate) ended: Option<End<'a>>,
    pub(crate) last: Option<End<'a>>,
    pub(crate) ready: bool,
    pub(crate) restarts: i64,
}

/// The waiting reasons that say only that the container is not made yet.
pub(crate) const NOT_YET: [&str; 3] = ["", "ContainerCreating", "PodInitializing"];

impl<'a> Container<'a> {
    pub(crate) fn new(role: Role, spec: &'a Value, spec_pointer: String, status: &'a Value, status_pointer: String) -> Self {
        let role = if role == Role::Init && spec.text("restartPolicy") == "Always" { Role::Sidecar } else { role };
        let name = if spec.text("name").is_empty() { status.text("name") } else { spec.text("name") };
        let state = status.get_or_null("state");
        let waiting = state.get_or_null("waiting");
        Self {
            name,
            role,
            spec,
            waiting: waiting.text("reason"),
            waiting_message: waiting.text("message"),
            is_waiting: waiting.is_object(),
            running: state.get_or_null("running").is_object(),
            running_since: state.get_or_null("running").time("startedAt"),
            ended: End::read(state.get_or_null("terminated"), format!("{status_pointer}/state/terminated")),
            last: End::read(status.get_or_null("lastState").get_or_null("terminated"), format!("{status_pointer}/lastState/terminated")),
            ready: status.is_true("ready"),
            restarts: status.integer("restartCount").unwrap_or_default(),
            spec_pointer,
            status,
            status_pointer,
        }
    }

    /// The end that is to be explained: the present one, or the one before the present wait or run.
    pub(crate) fn end(&self) -> Option<&End<'a>> {
        self.ended.as_ref().or(self.last.as_ref())
    }

    pub(crate) fn image(&self) -> &'a str {
        let given = [self.spec.text("image"), self.status.text("image")].into_iter().find(|image| !image.is_empty());
        // A piece of a pod may name it only in the words of the wait: `Back-off pulling image "x"`.
        let said = || self.waiting_message.split_once("image \"").and_then(|(_, rest)| rest.split_once('"')).map(|(image, _)| image);
        given.or_else(said).unwrap_or_default()
    }

    /// `command` and `args` in one row.
    pub(crate) fn command_line(&self) -> Vec<&'a str> {
        self.spec.list("command").iter().chain(self.spec.list("args")).filter_map(Value::as_str).collect()
    }

    pub(crate) fn memory_limit(&self) -> Option<&'a str> {
        self.spec.get_or_null("resources").get_or_null("limits").get("memory").and_then(Value::as_str)
    }

    /// The memory limit as it is written; a manifest may have a number.
    pub(crate) fn written_memory_limit(&self) -> Option<String> {
        match self.spec.get_or_null("resources").get_or_null("limits").get_or_null("memory") {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The list of the spec that it stands in.
    pub(crate) const fn list(&self) -> &'static str {
        match self.role {
            Role::Init | Role::Sidecar => "initContainers",
            Role::Main => "containers",
            Role::Ephemeral => "ephemeralContainers",
        }
    }

    /// The list of the status that it stands in.
    pub(crate) const fn status_list(&self) -> &'static str {
        match self.role {
            Role::Init | Role::Sidecar => "initContainerStatuses",
            Role::Main => "containerStatuses",
            Role::Ephemeral => "ephemeralContainerStatuses",
        }
    }

    /// How much it needs to be looked at; the container with the most comes first. 0 is all well.
    pub(crate) fn trouble(&self, restart_policy: &str, phase: &str) -> u8 {
        let main = matches!(self.role, Role::Main | Role::Sidecar);
        // What was added to look into the pod is no part of its work, and a sidecar is stopped when the work is done.
        let aside = self.role == Role::Ephemeral || (self.role == Role::Sidecar && phase == "Succeeded");
        if aside && self.ended.as_ref().is_some_and(|end| !end.oom_killed()) {
            return 0;
        }
        if self.role == Role::Ephemeral && self.is_waiting {
            return 40;
        }
        if self.is_waiting && !NOT_YET.contains(&self.waiting) {
            return 100;
        }
        if let Some(end) = &self.ended {
            return match (end.oom_killed(), end.clean()) {
                (true, _) => 98,
                (_, false) => 95,
                (_, true) if main && restart_policy == "Always" => 60,
                _ => 0,
            };
        }
        let past = self.last.as_ref();
        let past_failure = past.is_some_and(|end| !end.clean());
        if self.running && !self.ready {
            return match self.role {
                Role::Ephemeral => 0,
                _ if past_failure => 80,
                Role::Main | Role::Sidecar => 70,
                Role::Init => 40,
            };
        }
        if self.is_waiting {
            return if past_failure { 78 } else { 30 };
        }
        match past {
            Some(end) if end.oom_killed() => 52,
            Some(end) if !end.clean() => 50,
            Some(_) if main && self.restarts > 0 => 45,
            _ => 0,
        }
    }
}

/// The id behind `containerd://`.
pub(crate) fn bare_id(id: &str) -> &str {
    id.rsplit_once("://").map_or(id, |(_, bare)| bare)
}
