//! `podsight check --registry` against the real registry of github.com/distribution/distribution, built from tests/registry where there is a Go toolchain.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test ends at its first error, and its helpers with it")]

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// `user` and `secret`, as `htpasswd -B` writes them.
const HTPASSWD: &str = "user:$2a$04$ImTAPrmb34BJ0qEa02k6ae5WrCMIXoulJyysA/BVUqNCvVOsj9VqC\n";

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The registry's program, or why there is none.
fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("registry");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/registry");
        let built = Command::new("go").args(["build", "-trimpath", "-o"]).arg(&program).arg(".").current_dir(source).output();
        match built {
            Err(error) => Err(format!("skipped: no Go toolchain ({error})")),
            Ok(output) if output.status.success() => Ok(program),
            Ok(output) => {
                let message = String::from_utf8_lossy(&output.stderr).into_owned();
                // Without a network the modules are missing; a source that does not build is a failure.
                assert!(message.contains("dial tcp") || message.contains("lookup "), "tests/registry does not build: {message}");
                Err("skipped: the registry's Go modules cannot be fetched".to_owned())
            }
        }
    });
    match program {
        Ok(program) => Some(program),
        Err(why) => {
            println!("{why}");
            None
        }
    }
}

/// A registry on this machine, empty at first.
struct Registry {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Registry {
    fn start(program: &Path, password: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The port may be taken again in between; then the registry ends and the test fails.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let htpasswd = folder.path().join("htpasswd");
        std::fs::File::create(&htpasswd).unwrap().write_all(HTPASSWD.as_bytes()).unwrap();
        let auth = if password { json!({"htpasswd": {"realm": "test", "path": htpasswd}}) } else { json!({}) };
        let config =
            json!({"version": 0.1, "log": {"level": "error"}, "storage": {"inmemory": {}}, "http": {"addr": address}, "auth": auth});
        let file = folder.path().join("config.yml");
        std::fs::write(&file, config.to_string()).unwrap();
        let mut command = Command::new(program);
        command.arg("serve").arg(&file).env("OTEL_TRACES_EXPORTER", "none").stdout(Stdio::null()).stderr(Stdio::null());
        let registry = Self { child: command.spawn().unwrap(), address, _folder: folder };
        let started = Instant::now();
        while std::net::TcpStream::connect(&registry.address).is_err() {
            assert!(started.elapsed() < Duration::from_mins(1), "the registry does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        registry
    }

    fn request(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> ureq::http::Response<ureq::Body> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("http://{}{path}", self.address) };
        let request = ureq::http::Request::builder().method(method).uri(url).header("Content-Type", kind).body(body).unwrap();
        let response = ureq::run(request).unwrap();
        assert!(response.status().is_success(), "{method} {path}: {}", response.status());
        response
    }

    fn blob(&self, repository: &str, body: &[u8]) -> Value {
        let digest = digest(body);
        let begun = self.request("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"");
        let place = begun.headers().get("location").unwrap().to_str().unwrap().to_owned();
        let and = if place.contains('?') { '&' } else { '?' };
        self.request("PUT", &format!("{place}{and}digest={digest}"), "application/octet-stream", body);
        json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": body.len()})
    }

    /// Pushes an image of one platform under a tag and gives its descriptor.
    fn image(&self, repository: &str, tag: &str, architecture: &str) -> Value {
        let config =
            json!({"os": "linux", "architecture": architecture, "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}).to_string();
        let config = self.blob(repository, config.as_bytes());
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}).to_string();
        self.request("PUT", &format!("/v2/{repository}/manifests/{tag}"), MANIFEST, manifest.as_bytes());
        json!({"mediaType": MANIFEST, "digest": digest(manifest.as_bytes()), "size": manifest.len(), "platform": {"os": "linux", "architecture": architecture}})
    }
}

fn digest(bytes: &[u8]) -> String {
    let hex: Vec<String> = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", hex.concat())
}

fn pod(image: &str, architecture: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: app}}\nspec:\n  nodeSelector: {{kubernetes.io/arch: {architecture}}}\n  containers:\n  - name: main\n    image: {image}\n"
    )
}

/// What `podsight check --registry` says of a pod: the rules and the problems.
fn check(image: &str, architecture: &str, docker: Option<&Path>) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pod.yaml");
    std::fs::write(&file, pod(image, architecture)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_podsight"))
        .args(["check", "--registry", "-o", "json"])
        .arg(&file)
        .env("DOCKER_CONFIG", docker.unwrap_or_else(|| folder.path()))
        .env_remove("REGISTRY_AUTH_FILE")
        .env_remove("XDG_RUNTIME_DIR")
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |list: &str, field: &str| {
        let items = answer.get(list).and_then(Value::as_array).unwrap();
        items.iter().map(|item| item.get(field).and_then(Value::as_str).unwrap().to_owned()).collect()
    };
    (of("findings", "rule"), of("problems", "message"))
}

#[test]
fn says_what_the_registry_says() {
    let Some(program) = program() else { return };
    let registry = Registry::start(program, false);
    let arm = registry.image("shop/app", "arm64", "arm64");
    let amd = registry.image("shop/app", "amd64", "amd64");
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [arm, amd]}).to_string();
    registry.request("PUT", "/v2/shop/app/manifests/1.0", INDEX, index.as_bytes());
    let address = &registry.address;
    for (image, architecture, want) in [
        ("shop/app:1.0", "amd64", None),
        ("shop/app:1.0", "arm64", None),
        ("shop/app:1.0", "s390x", Some("image-wrong-platform")),
        ("shop/app:amd64", "arm64", Some("image-wrong-platform")),
        ("shop/app:amd64", "amd64", None),
        ("shop/app:absent", "amd64", Some("image-not-found")),
        ("shop/absent:1.0", "amd64", Some("image-not-found")),
    ] {
        let (rules, problems) = check(&format!("{address}/{image}"), architecture, None);
        assert_eq!(
            (rules.iter().map(String::as_str).collect::<Vec<_>>(), problems),
            (want.into_iter().collect(), vec![]),
            "{image} {architecture}"
        );
    }
    let by_digest = format!("{address}/shop/app@{}", digest(index.as_bytes()));
    assert_eq!(check(&by_digest, "amd64", None), (vec![], vec![]));
}

#[test]
fn what_is_not_known_is_a_problem_and_no_finding() {
    let Some(program) = program() else { return };
    let registry = Registry::start(program, true);
    let image = format!("{}/shop/app:1.0", registry.address);
    let (rules, problems) = check(&image, "amd64", None);
    assert_eq!(rules, Vec::<String>::new());
    assert_eq!(problems, [format!("whether {image} exists is not known: {} does not let us look (HTTP 401)", registry.address)]);

    // With the user's own password the registry says that it has no such image.
    let docker = tempfile::tempdir().unwrap();
    let config = json!({"auths": {&registry.address: {"username": "user", "password": "secret"}}});
    std::fs::write(docker.path().join("config.json"), config.to_string()).unwrap();
    assert_eq!(check(&image, "amd64", Some(docker.path())), (vec!["image-not-found".to_owned()], vec![]));

    let address = registry.address.clone();
    drop(registry);
    let (rules, problems) = check(&format!("{address}/shop/app:1.0"), "amd64", None);
    assert!(rules.is_empty() && problems.len() == 1 && problems.iter().all(|problem| problem.contains("cannot be asked")), "{problems:?}");
}
