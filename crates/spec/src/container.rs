//! One container of a pod spec.

use crate::quantity::Quantity;
use serde_json::Value;

/// The part that a container plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A container of `containers`.
    Main,
    /// An init container that ends.
    Init,
    /// An init container with `restartPolicy: Always`.
    Sidecar,
    /// An ephemeral container.
    Ephemeral,
}

/// One container of a pod spec.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// `name`.
    pub name: Option<&'a str>,
    /// The part it plays.
    pub role: Role,
    /// The container.
    pub value: &'a Value,
    /// JSON pointer from the object, such as `/spec/template/spec/containers/0`.
    pub pointer: String,
}

/// What is known of an environment variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvValue<'a> {
    /// It is not set here.
    Absent,
    /// It is set here: the value and its number in `env`.
    Literal(&'a str, usize),
    /// It comes from a ConfigMap, a Secret, a field or another variable.
    Unknown,
}

/// The containers of a pod spec in the order of the kubelet.
pub(crate) fn of<'a>(pod: &'a Value, pod_pointer: &str) -> Vec<Container<'a>> {
    let mut containers = Vec::new();
    for (list, role) in [("initContainers", Role::Init), ("containers", Role::Main), ("ephemeralContainers", Role::Ephemeral)] {
        for (number, value) in pod.get(list).and_then(Value::as_array).into_iter().flatten().enumerate() {
            if !value.is_object() {
                continue;
            }
            let sidecar = role == Role::Init && value.get("restartPolicy").and_then(Value::as_str) == Some("Always");
            let role = if sidecar { Role::Sidecar } else { role };
            containers.push(Container {
                name: value.get("name").and_then(Value::as_str),
                role,
                value,
                pointer: format!("{pod_pointer}/{list}/{number}"),
            });
        }
    }
    containers
}

impl<'a> Container<'a> {
    /// The JSON pointer of something in the container: `at("/image")`.
    pub fn at(&self, below: &str) -> String {
        format!("{}{below}", self.pointer)
    }

    /// `image`.
    pub fn image(&self) -> Option<&'a str> {
        self.value.get("image").and_then(Value::as_str)
    }

    /// `command`: the words, or `None` where there is none (the image's entry point runs).
    pub fn command(&self) -> Option<Vec<&'a str>> {
        self.words("command")
    }

    /// `args`: the words, or `None` where there are none.
    pub fn args(&self) -> Option<Vec<&'a str>> {
        self.words("args")
    }

    /// `command` and `args` together: what is run, as far as the object says it.
    pub fn line(&self) -> Vec<&'a str> {
        let mut line = self.command().unwrap_or_default();
        line.extend(self.args().unwrap_or_default());
        line
    }

    /// The JSON pointer of a word of `line()`.
    pub fn line_pointer(&self, number: usize) -> String {
        let commands = self.value.get("command").and_then(Value::as_array).map_or(0, Vec::len);
        match number.checked_sub(commands) {
            None => self.at(&format!("/command/{number}")),
            Some(number) => self.at(&format!("/args/{number}")),
        }
    }

    /// A limit of the container's own.
    pub fn limit(&self, resource: &str) -> Option<Quantity> {
        self.resource("limits", resource)
    }

    /// A request of the container's own.
    pub fn request(&self, resource: &str) -> Option<Quantity> {
        self.resource("requests", resource)
    }

    /// What the container's environment says of a variable. The last entry of a name wins.
    pub fn env(&self, name: &str) -> EnvValue<'a> {
        let entries = self.value.get("env").and_then(Value::as_array);
        let entry =
            entries.into_iter().flatten().enumerate().filter(|(_, entry)| entry.get("name").and_then(Value::as_str) == Some(name)).last();
        match entry {
            Some((_, entry)) if entry.get("valueFrom").is_some() => EnvValue::Unknown,
            Some((number, entry)) => match entry.get("value").and_then(Value::as_str) {
                // `$(NAME)` is filled in by the kubelet.
                Some(value) if value.contains("$(") => EnvValue::Unknown,
                Some(value) => EnvValue::Literal(value, number),
                None if entry.get("value").is_none() => EnvValue::Literal("", number),
                None => EnvValue::Unknown,
            },
            None if self.value.get("envFrom").and_then(Value::as_array).is_some_and(|sources| !sources.is_empty()) => EnvValue::Unknown,
            None => EnvValue::Absent,
        }
    }

    fn words(&self, key: &str) -> Option<Vec<&'a str>> {
        let words = self.value.get(key).and_then(Value::as_array)?;
        let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap_or_default()).collect();
        (!words.is_empty()).then_some(words)
    }

    fn resource(&self, list: &str, resource: &str) -> Option<Quantity> {
        self.value.get("resources")?.get(list)?.get(resource).and_then(Quantity::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tells_sidecars_from_init_containers() {
        let pod = json!({"containers": [{"name": "a"}, 7], "initContainers": [{"name": "b", "restartPolicy": "Always"}, {"name": "c"}], "ephemeralContainers": [{"name": "d"}]});
        let roles: Vec<_> =
            of(&pod, "/spec").iter().map(|container| (container.name.unwrap(), container.role, container.pointer.clone())).collect();
        assert_eq!(
            roles,
            [
                ("b", Role::Sidecar, "/spec/initContainers/0".to_owned()),
                ("c", Role::Init, "/spec/initContainers/1".to_owned()),
                ("a", Role::Main, "/spec/containers/0".to_owned()),
                ("d", Role::Ephemeral, "/spec/ephemeralContainers/0".to_owned()),
            ]
        );
    }

    #[test]
    fn knows_what_it_does_not_know() {
        let pod = json!({"containers": [{"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "B", "value": "$(A)"}, {"name": "C", "valueFrom": {}}, {"name": "D"}, {"name": "E", "value": 5}]}]});
        let containers = of(&pod, "");
        let env = |name| containers[0].env(name);
        assert_eq!(
            [env("A"), env("B"), env("C"), env("D"), env("E"), env("F")],
            [
                EnvValue::Literal("2", 1),
                EnvValue::Unknown,
                EnvValue::Unknown,
                EnvValue::Literal("", 4),
                EnvValue::Unknown,
                EnvValue::Absent
            ]
        );
    }
}
