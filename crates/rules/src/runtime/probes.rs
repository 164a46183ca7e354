//! The probes and hooks of a container.

use podsight_spec::Container;
use serde_json::Value;

/// What a probe decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeKind {
    Liveness,
    Readiness,
    Startup,
}

/// One probe of a container.
#[derive(Clone, Debug)]
pub(crate) struct Probe<'a> {
    pub(crate) kind: ProbeKind,
    pub(crate) value: &'a Value,
    pub(crate) pointer: String,
}

impl ProbeKind {
    /// The field of the container.
    pub(crate) const fn field(self) -> &'static str {
        match self {
            Self::Liveness => "livenessProbe",
            Self::Readiness => "readinessProbe",
            Self::Startup => "startupProbe",
        }
    }
}

/// The probes that the container has.
pub(crate) fn of<'a>(container: &Container<'a>) -> Vec<Probe<'a>> {
    [ProbeKind::Startup, ProbeKind::Liveness, ProbeKind::Readiness]
        .into_iter()
        .filter_map(|kind| {
            let value = container.value.get(kind.field()).filter(|value| value.is_object())?;
            Some(Probe { kind, value, pointer: container.at(&format!("/{}", kind.field())) })
        })
        .collect()
}

/// The hook of that name (`preStop`, `postStart`), with its JSON pointer.
pub(crate) fn hook<'a>(container: &Container<'a>, name: &str) -> Option<(&'a Value, String)> {
    let hook = container.value.get("lifecycle")?.get(name).filter(|hook| hook.is_object())?;
    Some((hook, container.at(&format!("/lifecycle/{name}"))))
}

/// The words of an `exec` action.
pub(crate) fn exec(action: &Value) -> Option<Vec<&str>> {
    let words = action.get("exec")?.get("command")?.as_array()?;
    let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap_or_default()).collect();
    (!words.is_empty()).then_some(words)
}

impl Probe<'_> {
    /// A number of the probe, or the API's default. Numbers below one are the API server's to refuse.
    pub(crate) fn number(&self, field: &str, default: i64) -> i64 {
        self.value.get(field).and_then(Value::as_i64).filter(|number| *number > 0).unwrap_or(default)
    }

    /// The seconds from the container's start to the kill if the probe never succeeds.
    pub(crate) fn window(&self) -> i64 {
        let delay = self.number("initialDelaySeconds", 0);
        delay.saturating_add(self.number("periodSeconds", 10).saturating_mul(self.number("failureThreshold", 3)))
    }
}
