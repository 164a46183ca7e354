//! What a registry's answers mean, without a network: OCI distribution-spec 1.1 and image-spec 1.1.

use podsight_spec::ImageRef;
use serde_json::Value;

/// The manifests that are asked for: what containerd asks for.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// Where an image is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The registry as the user's credentials name it.
    pub(super) registry: String,
    /// `https://host`, or `http://host` on this machine.
    pub(super) base: String,
    /// The repository.
    pub(super) repository: String,
    /// A tag or a digest.
    pub(super) reference: String,
}

/// A demand for a token: the `WWW-Authenticate` header of a registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) realm: String,
    pub(super) service: Option<String>,
    pub(super) scope: Option<String>,
}

/// What a manifest says of platforms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Manifest {
    /// An index: `os/architecture` of each entry.
    Platforms(Vec<String>),
    /// One image: the digest of its configuration, which names the platform.
    Config(String),
    /// Neither.
    Unknown,
}

/// The place of an image; `None` where the kubelet could not read the name.
pub(super) fn place(image: &str) -> Option<Place> {
    let parsed = ImageRef::parse(image).ok()?;
    let reference = parsed.digest.or(parsed.tag).unwrap_or("latest").to_owned();
    Some(match parsed.domain {
        None | Some("docker.io" | "index.docker.io") => Place {
            registry: "docker.io".to_owned(),
            base: "https://registry-1.docker.io".to_owned(),
            repository: if parsed.path.contains('/') { parsed.path.to_owned() } else { format!("library/{}", parsed.path) },
            reference,
        },
        Some(domain) => Place {
            registry: domain.to_owned(),
            base: format!("{}://{domain}", if is_this_machine(domain) { "http" } else { "https" }),
            repository: parsed.path.to_owned(),
            reference,
        },
    })
}

/// Whether a host and port is this machine's, for which container runtimes speak plain HTTP.
pub(super) fn is_this_machine(authority: &str) -> bool {
    let host =
        authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())).map_or(authority, |(host, _)| host);
    host == "localhost"
        || host == "[::1]"
        || host.strip_prefix("127.").is_some_and(|rest| rest.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()))
}

/// Reads `Bearer realm="…",service="…",scope="…"`. `None` for other schemes.
pub(super) fn challenge(header: &str) -> Option<Challenge> {
    let (scheme, mut rest) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut challenge = Challenge::default();
    while let Some((name, value)) = rest.split_once('=') {
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_once(',').unwrap_or((value, "")),
        };
        match name.trim_start_matches([',', ' ']) {
            "realm" => value.clone_into(&mut challenge.realm),
            "service" => challenge.service = Some(value.to_owned()),
            "scope" => challenge.scope = Some(value.to_owned()),
            _ => {}
        }
        rest = behind;
    }
    (!challenge.realm.is_empty()).then_some(challenge)
}

/// Whether the body of a 404 is a registry's, and not that of some other server at the address.
pub(super) fn says_absent(body: &[u8]) -> bool {
    let errors = serde_json::from_slice::<Value>(body).ok().and_then(|mut body| body.get_mut("errors").map(Value::take));
    let codes = ["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND", "MANIFEST_INVALID", "TAG_INVALID"];
    errors.as_ref().and_then(Value::as_array).into_iter().flatten().any(|error| {
        error.get("code").and_then(Value::as_str).is_some_and(|code| codes.iter().any(|known| code.eq_ignore_ascii_case(known)))
    })
}

/// What a manifest's body says.
pub(super) fn manifest(body: &[u8]) -> Manifest {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Manifest::Unknown };
    if let Some(entries) = value.get("manifests").and_then(Value::as_array) {
        // Attestations stand among the images as `unknown/unknown`.
        let platforms =
            entries.iter().filter_map(|entry| platform(entry.get("platform")?)).filter(|platform| platform != "unknown/unknown");
        return Manifest::Platforms(platforms.collect());
    }
    let digest = value.pointer("/config/digest").and_then(Value::as_str);
    digest.filter(|digest| is_digest(digest)).map_or(Manifest::Unknown, |digest| Manifest::Config(digest.to_owned()))
}

/// `os/architecture` of a platform or of an image's configuration.
pub(super) fn platform(value: &Value) -> Option<String> {
    let of = |field: &str| value.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    Some(format!("{}/{}", of("os")?, of("architecture")?))
}

/// Whether it can stand in a path as it is.
fn is_digest(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':') && text.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_registry_of_an_image() {
        let of = |image: &str| {
            place(image).map(|place| format!("{} {}/v2/{}/manifests/{}", place.registry, place.base, place.repository, place.reference))
        };
        assert_eq!(of("nginx").as_deref(), Some("docker.io https://registry-1.docker.io/v2/library/nginx/manifests/latest"));
        assert_eq!(of("me/app:1").as_deref(), Some("docker.io https://registry-1.docker.io/v2/me/app/manifests/1"));
        assert_eq!(of("localhost:5000/a/b:2").as_deref(), Some("localhost:5000 http://localhost:5000/v2/a/b/manifests/2"));
        let digest = format!("quay.io/a/b:2@sha256:{}", "a".repeat(64));
        assert_eq!(of(&digest), Some(format!("quay.io https://quay.io/v2/a/b/manifests/sha256:{}", "a".repeat(64))));
        assert_eq!(of("Bad/Name"), None);
        assert!(is_this_machine("127.0.0.1:80") && is_this_machine("[::1]:80") && is_this_machine("localhost"));
        assert!(!is_this_machine("127.evil.example") && !is_this_machine("localhost.example"));
    }

    #[test]
    fn reads_what_registries_say() {
        let want = Challenge { realm: "https://a/t".into(), service: Some("s".into()), scope: Some("repository:x:pull,push".into()) };
        assert_eq!(challenge("Bearer realm=\"https://a/t\",service=\"s\", scope=\"repository:x:pull,push\""), Some(want));
        assert_eq!(challenge("Basic realm=\"x\""), None);
        assert_eq!(challenge("Bearer realm=\"x"), None);
        assert!(says_absent(br#"{"errors": [{"code": "MANIFEST_UNKNOWN"}]}"#) && !says_absent(b"<html>404") && !says_absent(b"{}"));
        let index = br#"{"manifests": [{"platform": {"os": "linux", "architecture": "arm64"}}, {"platform": {"os": "unknown", "architecture": "unknown"}}, {}]}"#;
        assert_eq!(manifest(index), Manifest::Platforms(vec!["linux/arm64".into()]));
        assert_eq!(manifest(br#"{"config": {"digest": "sha256:ab"}}"#), Manifest::Config("sha256:ab".into()));
        assert_eq!(manifest(br#"{"config": {"digest": "../x"}}"#), Manifest::Unknown);
        assert_eq!(manifest(b"["), Manifest::Unknown);
    }
}
