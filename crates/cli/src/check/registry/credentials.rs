//! The user's own credentials for registries, where docker and podman keep them. They are sent to no other registry and shown nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A file of credentials is not larger.
const LARGEST: u64 = 4 << 20;

/// What somebody has for a registry.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// A name and a password.
    Password { user: String, password: String },
    /// A token that is exchanged for others.
    Identity(String),
}

/// The files that name credentials or the programs that keep them.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    files: Vec<Value>,
}

impl Credentials {
    /// Those of docker (`$DOCKER_CONFIG`, `~/.docker`) and podman (`$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers/auth.json`).
    pub(super) fn of_the_user() -> Self {
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let docker = path("DOCKER_CONFIG").or_else(|| Some(path("HOME")?.join(".docker"))).map(|folder| folder.join("config.json"));
        let podman = path("REGISTRY_AUTH_FILE").or_else(|| Some(path("XDG_RUNTIME_DIR")?.join("containers/auth.json")));
        let read = |path: PathBuf| {
            let small = std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LARGEST);
            small.then(|| std::fs::read(&path).ok()).flatten().and_then(|bytes| serde_json::from_slice(&bytes).ok())
        };
        Self { files: [docker, podman].into_iter().flatten().filter_map(read).collect() }
    }

    /// What the user has for the registry.
    pub(super) fn of(&self, registry: &str) -> Option<Login> {
        // Docker keeps those of its own registry under the address of an older protocol.
        let keys: &[&str] =
            if registry == "docker.io" { &["https://index.docker.io/v1/", "docker.io", "index.docker.io"] } else { &[registry] };
        self.files.iter().find_map(|file| {
            keys.iter().find_map(|key| {
                let helper = file.get("credHelpers").and_then(|helpers| helpers.get(*key)).and_then(Value::as_str);
                if let Some(helper) = helper {
                    return from_helper(helper, key);
                }
                let auths = file.get("auths");
                let known = auths.and_then(|auths| auths.get(*key).or_else(|| auths.get(format!("https://{key}"))));
                if let Some(login) = known.and_then(from_file) {
                    return Some(login);
                }
                let store = file.get("credsStore").and_then(Value::as_str);
                store.and_then(|store| from_helper(store, key))
            })
        })
    }
}

/// An entry of `auths`.
fn from_file(entry: &Value) -> Option<Login> {
    let of = |field: &str| entry.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(token) = of("identitytoken") {
        return Some(Login::Identity(token));
    }
    if let (Some(user), Some(password)) = (of("username"), of("password")) {
        return Some(Login::Password { user, password });
    }
    let decoded = String::from_utf8(STANDARD.decode(of("auth")?).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some(Login::Password { user: user.to_owned(), password: password.trim_end_matches('\0').to_owned() })
}

/// Asks `docker-credential-NAME get`.
fn from_helper(name: &str, registry: &str) -> Option<Login> {
    // The name comes from a file: it must not lead to some other program.
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return None;
    }
    let mut command = Command::new(format!("docker-credential-{name}"));
    let mut child = command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    // A helper that does not read has nothing to say.
    child.stdin.take()?.write_all(registry.as_bytes()).ok();
    let output = child.wait_with_output().ok().filter(|output| output.status.success())?;
    let answer: Value = serde_json::from_slice(&output.stdout).ok()?;
    let of = |field: &str| answer.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let (user, secret) = (of("Username")?, of("Secret")?);
    Some(if user == "<token>" { Login::Identity(secret) } else { Login::Password { user, password: secret } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(login: Option<Login>) -> String {
        match login {
            None => "none".to_owned(),
            Some(Login::Identity(token)) => format!("token {token}"),
            Some(Login::Password { user, password }) => format!("{user}/{password}"),
        }
    }

    #[test]
    fn finds_what_docker_keeps() {
        let file = json!({
            "auths": {
                "https://index.docker.io/v1/": {"auth": STANDARD.encode("me:pass:word")},
                "quay.io": {"identitytoken": "t"},
                "https://ghcr.io": {"username": "a", "password": "b"},
                "empty.example": {},
            },
            "credHelpers": {"helped.example": "../../bin/sh"},
        });
        let credentials = Credentials { files: vec![file] };
        for (registry, want) in [
            ("docker.io", "me/pass:word"),
            ("quay.io", "token t"),
            ("ghcr.io", "a/b"),
            ("empty.example", "none"),
            ("helped.example", "none"),
            ("other.example", "none"),
        ] {
            assert_eq!(shown(credentials.of(registry)), want, "{registry}");
        }
    }
}
