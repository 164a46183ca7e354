//! Compressed archives whose bytes depend on nothing but their content.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};

/// A file of an archive.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) mode: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Entry {
    pub(crate) fn file(path: &str, source: &Path) -> Result<Self> {
        let bytes = fs::read(source).with_context(|| format!("read {}", source.display()))?;
        Ok(Self { path: path.to_owned(), mode: 0o644, bytes })
    }

    pub(crate) fn program(path: &str, source: &Path) -> Result<Self> {
        Ok(Self { mode: 0o755, ..Self::file(path, source)? })
    }
}

/// The files, in any order.
#[derive(Debug)]
pub(crate) struct Archive(pub(crate) Vec<Entry>);

impl Archive {
    /// The bytes of the `.tar.gz`: sorted, root's, from the beginning of time.
    pub(crate) fn write(mut self) -> Result<Vec<u8>> {
        self.0.sort_by(|one, other| one.path.cmp(&other.path));
        let mut archive = tar::Builder::new(GzBuilder::new().mtime(0).write(Vec::new(), Compression::best()));
        for Entry { path, mode, bytes } in &self.0 {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(*mode);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            archive.append_data(&mut header, path, bytes.as_slice()).with_context(|| format!("put {path} into an archive"))?;
        }
        archive.into_inner().and_then(flate2::write::GzEncoder::finish).context("compress an archive")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_files_does_not_matter() {
        let entry = |path: &str| Entry { path: path.to_owned(), mode: 0o644, bytes: path.repeat(100).into_bytes() };
        let one = Archive(vec![entry("a"), entry("b/c")]).write().unwrap();
        assert_eq!(Archive(vec![entry("b/c"), entry("a")]).write().unwrap(), one);
        // The time and the system in gzip's own header (RFC 1952).
        assert_eq!(one[4..8], [0; 4]);
        let mut names = vec![];
        for entry in tar::Archive::new(flate2::read::GzDecoder::new(one.as_slice())).entries().unwrap() {
            let entry = entry.unwrap();
            assert_eq!((entry.header().mtime().unwrap(), entry.header().uid().unwrap()), (0, 0));
            names.push(entry.path().unwrap().display().to_string());
        }
        assert_eq!(names, ["a", "b/c"]);
    }
}
