//! Images without an engine: one layer, written as an OCI archive whose bytes depend on nothing but its content.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::folders::hex;

/// The sandbox image of every pod.
pub const PAUSE_IMAGE: &str = "podsight.test/pause:1";

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image to be written.
#[derive(Debug)]
pub struct Image {
    /// The whole name, registry and tag included.
    pub name: String,
    /// The program and its fixed arguments; none where the pod names it.
    pub entrypoint: Vec<String>,
    /// What runs where the pod names nothing.
    pub command: &'static [&'static str],
    /// Numeric `uid:gid`.
    pub user: &'static str,
    /// What lies in it, by absolute path.
    pub files: Vec<(String, Content)>,
    /// `org.opencontainers.image.…` labels.
    pub labels: Value,
}

/// A file of an image.
#[derive(Debug)]
pub enum Content {
    /// A program, copied from this machine.
    Program(PathBuf),
    /// Another name for a file of the image.
    Link(&'static str),
    /// A folder that anyone may write to.
    Folder,
}

/// Writes one archive with all `images` to `target`.
pub fn write<'a>(images: impl IntoIterator<Item = &'a Image>, target: &Path) -> Result<()> {
    let mut blobs = BTreeMap::new();
    let mut keep = |media_type: &str, bytes: Vec<u8>| {
        let descriptor = json!({"mediaType": media_type, "digest": format!("sha256:{}", digest(&bytes)), "size": bytes.len()});
        blobs.insert(format!("blobs/sha256/{}", digest(&bytes)), bytes);
        descriptor
    };
    let mut manifests = vec![];
    for image in images {
        let layer = keep("application/vnd.oci.image.layer.v1.tar", image.layer()?);
        let config = keep("application/vnd.oci.image.config.v1+json", encode(&image.config(&layer)));
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
        let mut entry = keep(MANIFEST, encode(&manifest));
        let tag = image.name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("platform".into(), json!({"architecture": architecture(), "os": "linux"}));
            entry.insert("annotations".into(), json!({"io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": tag}));
        }
        manifests.push(entry);
    }
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests});
    blobs.insert("index.json".into(), encode(&index));
    blobs.insert("oci-layout".into(), encode(&json!({"imageLayoutVersion": "1.0.0"})));

    let draft = target.with_extension("draft");
    let file = File::create(&draft).with_context(|| format!("create {}", draft.display()))?;
    let mut archive = tar::Builder::new(file);
    for folder in ["blobs/", "blobs/sha256/"] {
        append_folder(&mut archive, folder, 0o755)?;
    }
    for (path, bytes) in &blobs {
        append_file(&mut archive, path, 0o644, bytes)?;
    }
    archive.finish().with_context(|| format!("write {}", draft.display()))?;
    fs::rename(&draft, target).with_context(|| format!("keep {}", target.display()))
}

impl Image {
    fn config(&self, layer: &Value) -> Value {
        json!({
            "architecture": architecture(),
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {"Entrypoint": self.entrypoint, "Cmd": self.command, "User": self.user, "WorkingDir": "/", "Labels": self.labels,
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
            // Uncompressed, the layer and what is unpacked have the same digest.
            "rootfs": {"type": "layers", "diff_ids": [layer.get("digest")]},
        })
    }

    fn layer(&self) -> Result<Vec<u8>> {
        let mut archive = tar::Builder::new(Vec::new());
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_by(|one, other| one.0.cmp(&other.0));
        for (path, content) in files {
            let path = path.trim_start_matches('/');
            match content {
                Content::Program(source) => {
                    let bytes = fs::read(source).with_context(|| format!("read {}", source.display()))?;
                    append_file(&mut archive, path, 0o755, &bytes)?;
                }
                Content::Link(to) => {
                    let mut header = header(tar::EntryType::Symlink, 0, 0o777);
                    archive.append_link(&mut header, path, to).with_context(|| format!("put the link {path} into an image"))?;
                }
                Content::Folder => append_folder(&mut archive, path, 0o1777)?,
            }
        }
        archive.into_inner().context("write an image's layer")
    }
}

fn append_file(archive: &mut tar::Builder<impl std::io::Write>, path: &str, mode: u32, bytes: &[u8]) -> Result<()> {
    let mut header = header(tar::EntryType::Regular, bytes.len() as u64, mode);
    archive.append_data(&mut header, path, bytes).with_context(|| format!("put {path} into an archive"))
}

fn append_folder(archive: &mut tar::Builder<impl std::io::Write>, path: &str, mode: u32) -> Result<()> {
    let mut header = header(tar::EntryType::Directory, 0, mode);
    archive.append_data(&mut header, path, std::io::empty()).with_context(|| format!("put {path} into an archive"))
}

/// Root's, from the beginning of time: nothing of the machine or the moment gets into an image.
fn header(kind: tar::EntryType, size: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn encode(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn an_archive_is_the_same_whatever_the_order_and_the_time() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, "content").unwrap();
        let image = |reverse: bool| {
            let mut files = vec![("/bin/a".to_owned(), Content::Program(program.clone())), ("/bin/b".to_owned(), Content::Link("a"))];
            if reverse {
                files.reverse();
            }
            Image {
                name: "podsight.test/x:1".into(),
                entrypoint: vec!["/bin/a".into()],
                command: &[],
                user: "0:0",
                files,
                labels: json!({}),
            }
        };
        let (one, other) = (folder.path().join("one.tar"), folder.path().join("other.tar"));
        write(&[image(false)], &one).unwrap();
        fs::write(&program, "content").unwrap();
        write(&[image(true)], &other).unwrap();
        assert_eq!(fs::read(&one).unwrap(), fs::read(&other).unwrap());

        let mut archive = tar::Archive::new(File::open(&one).unwrap());
        let mut index = String::new();
        let mut names = vec![];
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            if name == "index.json" {
                entry.read_to_string(&mut index).unwrap();
            }
            names.push(name);
        }
        assert_eq!(names.iter().filter(|name| name.starts_with("blobs/sha256/") && name.len() > 20).count(), 3);
        let index: Value = serde_json::from_str(&index).unwrap();
        assert_eq!(index["manifests"][0]["annotations"]["io.containerd.image.name"], "podsight.test/x:1");
    }
}
