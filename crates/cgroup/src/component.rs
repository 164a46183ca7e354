//! One component of a path.

use crate::Runtime;
use memchr::memmem;

/// What the name of a cgroup says by itself, wherever it stands.
pub(crate) enum Component<'a> {
    /// The cgroup of all pods.
    Kubepods,
    /// A quality-of-service class, in the naming of systemd.
    Qos,
    /// A pod in systemd's naming, with the text where its UID should be.
    Pod(&'a [u8]),
    /// The kubelet uses systemd's names and the runtime takes them for its own: `…-pod<uid>.slice:cri-containerd:<id>`.
    PodAndContainer {
        /// The text where the UID should be.
        uid: &'a [u8],
        /// The container's id, if it is one.
        id: Option<String>,
        /// The runtime.
        runtime: Option<Runtime>,
    },
    /// A container, if the name is one, or a name whose meaning depends on where it stands.
    Other(Option<ContainerName>),
}

/// The name of a container's cgroup.
pub(crate) struct ContainerName {
    pub(crate) id: String,
    pub(crate) runtime: Option<Runtime>,
    /// The cgroup holds the process that watches over the container, not the container.
    pub(crate) monitor: bool,
}

impl<'a> Component<'a> {
    pub(crate) fn of(name: &'a [u8]) -> Self {
        if name == b"kubepods" {
            return Self::Kubepods;
        }
        let mut parts = name.splitn(3, |byte| *byte == b':');
        if let (Some(slice), Some(runtime), Some(id)) = (parts.next(), parts.next(), parts.next())
            && let Some(Self::Pod(uid)) = Self::of_slice(slice)
        {
            return Self::PodAndContainer { uid, id: container_id(id), runtime: runtime_of(runtime) };
        }
        Self::of_slice(name).unwrap_or_else(|| Self::Other(ContainerName::of(name)))
    }

    /// `ToSystemd` joins the names of all levels by dashes, so the pods' slice may carry the names of the levels above it in front.
    fn of_slice(name: &'a [u8]) -> Option<Self> {
        let name = name.strip_suffix(b".slice")?;
        let at = memmem::rfind(name, b"kubepods")?;
        let (before, rest) = name.split_at_checked(at)?;
        if !before.is_empty() && !before.ends_with(b"-") {
            return None;
        }
        let rest = rest.strip_prefix(b"kubepods")?;
        match rest {
            b"" => return Some(Self::Kubepods),
            b"-burstable" | b"-besteffort" | b"-guaranteed" => return Some(Self::Qos),
            _ => {}
        }
        let rest = rest.strip_prefix(b"-burstable").or_else(|| rest.strip_prefix(b"-besteffort")).unwrap_or(rest);
        Some(Self::Pod(rest.strip_prefix(b"-pod")?))
    }
}

impl ContainerName {
    /// `<id>`, `<runtime>-<id>`, `<runtime>-<id>.scope` and `<runtime>-conmon-<id>.scope`.
    fn of(name: &[u8]) -> Option<Self> {
        if let Some(id) = container_id(name) {
            return Some(Self { id, runtime: None, monitor: false });
        }
        let name = name.strip_suffix(b".scope").unwrap_or(name);
        let dash = memchr::memrchr(b'-', name)?;
        let (runtime, id) = name.split_at_checked(dash)?;
        let id = container_id(id.strip_prefix(b"-")?)?;
        let (runtime, monitor) = match runtime.strip_suffix(b"-conmon") {
            Some(runtime) => (runtime, true),
            None => (runtime, false),
        };
        Some(Self { id, runtime: runtime_of(runtime), monitor })
    }
}

fn runtime_of(name: &[u8]) -> Option<Runtime> {
    match name {
        b"cri-containerd" | b"containerd" | b"nerdctl" => Some(Runtime::Containerd),
        b"crio" => Some(Runtime::Crio),
        b"docker" => Some(Runtime::Docker),
        _ => None,
    }
}

fn container_id(text: &[u8]) -> Option<String> {
    (text.len() == 64 && text.iter().all(u8::is_ascii_hexdigit)).then(|| lower(text))
}

/// A UID of the API (8-4-4-4-12 hex digits; `_` for `-` in systemd's names) or a static pod's hash (32 hex digits).
pub(crate) fn pod_uid(text: &[u8]) -> Option<String> {
    match text.len() {
        32 if text.iter().all(u8::is_ascii_hexdigit) => Some(lower(text)),
        36 => {
            let separator = *text.get(8)?;
            let dashes = [8, 13, 18, 23];
            let right =
                text.iter().enumerate().all(|(at, byte)| if dashes.contains(&at) { *byte == separator } else { byte.is_ascii_hexdigit() });
            (right && matches!(separator, b'-' | b'_')).then(|| lower(text).replace('_', "-"))
        }
        _ => None,
    }
}

fn lower(text: &[u8]) -> String {
    text.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}
