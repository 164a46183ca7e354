//! Files that change under a running program: Secrets and `ConfigMaps` mounted into a pod.

use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// A file that is larger is no certificate, key or configuration.
const FILE_MAX_BYTES: u64 = 1024 * 1024;

/// Files that are read again and compared by content.
///
/// The kubelet replaces a mounted Secret by renaming a symbolic link (`pkg/volume/util/atomic_writer.go`): a watch on the file itself sees
/// it deleted and nothing more. Reading is immune to that, and a few kilobytes now and then cost nothing.
#[derive(Debug)]
pub struct WatchedFiles {
    paths: Vec<PathBuf>,
    seen: Option<[u8; 32]>,
}

impl WatchedFiles {
    /// Files that belong together.
    pub fn new<P: Into<PathBuf>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect(), seen: None }
    }

    /// The contents if they are not the ones of the last call, in the order of the paths.
    ///
    /// On an error the contents count as not seen, so that they are given again as soon as they can be read.
    pub fn changed(&mut self) -> Result<Option<Vec<Vec<u8>>>, ReadError> {
        let mut contents = Vec::with_capacity(self.paths.len());
        let mut digest = Sha256::new();
        for path in &self.paths {
            let content = read(path).map_err(|source| {
                self.seen = None;
                ReadError { path: path.clone(), source }
            })?;
            digest.update(content.len().to_le_bytes());
            digest.update(&content);
            contents.push(content);
        }
        let digest: [u8; 32] = digest.finalize().into();
        if self.seen == Some(digest) {
            return Ok(None);
        }
        self.seen = Some(digest);
        Ok(Some(contents))
    }
}

/// A file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read `{path}`")]
pub struct ReadError {
    path: PathBuf,
    source: io::Error,
}

impl ReadError {
    /// Whether there is no such file.
    pub fn is_absent(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(FILE_MAX_BYTES + 1).read_to_end(&mut content)?;
    if u64::try_from(content.len()).is_ok_and(|length| length > FILE_MAX_BYTES) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn sees_content_and_not_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "1").unwrap();
        let mut files = WatchedFiles::new([&path]);
        assert_eq!(files.changed().unwrap(), Some(vec![b"1".to_vec()]));
        assert_eq!(files.changed().unwrap(), None);
        fs::write(&path, "1").unwrap();
        assert_eq!(files.changed().unwrap(), None);
        fs::write(&path, "2").unwrap();
        assert_eq!(files.changed().unwrap(), Some(vec![b"2".to_vec()]));
    }

    #[test]
    fn what_comes_back_is_given_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "1").unwrap();
        let mut files = WatchedFiles::new([&path]);
        assert!(files.changed().unwrap().is_some());
        fs::remove_file(&path).unwrap();
        assert_eq!(files.changed().unwrap_err().to_string(), format!("failed to read `{}`", path.display()));
        fs::write(&path, "1").unwrap();
        assert!(files.changed().unwrap().is_some());
    }

    #[test]
    fn follows_the_kubelets_symbolic_links() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (version, content) in [("..v1", "old"), ("..v2", "new")] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("tls.crt"), content).unwrap();
        }
        symlink("..v1", at("..data")).unwrap();
        symlink("..data/tls.crt", at("tls.crt")).unwrap();
        let mut files = WatchedFiles::new([at("tls.crt")]);
        assert_eq!(files.changed().unwrap(), Some(vec![b"old".to_vec()]));
        symlink("..v2", at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        fs::remove_dir_all(at("..v1")).unwrap();
        assert_eq!(files.changed().unwrap(), Some(vec![b"new".to_vec()]));
    }

    #[test]
    fn refuses_what_is_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, vec![0; 1024 * 1024 + 1]).unwrap();
        assert!(WatchedFiles::new([&path]).changed().is_err());
    }
}
