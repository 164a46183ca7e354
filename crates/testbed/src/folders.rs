//! Where a testbed keeps its files.

use std::env;
use std::fmt::Write;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::interrupt;
use crate::progress::Progress;

/// What outlives a testbed: built tools, kernel packages.
pub fn cache() -> Result<PathBuf> {
    Ok(user_cache()?.join("podsight/testbed"))
}

/// Keeps other testbeds from filling the cache at the same time, until it is dropped.
pub fn lock_cache(progress: &Progress) -> Result<File> {
    let folder = cache()?;
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let file = File::create(folder.join("lock")).context("open the cache's lock")?;
    let mut said = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(source).context("lock the cache"),
        }
        if !said {
            progress.step("wait for another testbed's build");
            said = true;
        }
        interrupt::check()?;
        sleep(Duration::from_millis(200));
    }
}

/// Everything of one running testbed; `PODSIGHT_STATE` names another folder, so that several can run at once.
pub fn state() -> Result<PathBuf> {
    let folder = match env::var_os("PODSIGHT_STATE") {
        Some(given) if !given.is_empty() => PathBuf::from(given),
        _ => user_cache()?.join("podsight/up"),
    };
    fs::create_dir_all(&folder).with_context(|| format!("create the state folder {}", folder.display()))?;
    // Sockets and mounts need an absolute path without links.
    folder.canonicalize().with_context(|| format!("resolve the state folder {}", folder.display()))
}

/// The top folder of the checkout that this program was built from.
pub fn repository() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let top = here.ancestors().nth(2).context("the testbed crate lies in crates/ of its repository")?;
    if !top.join("Cargo.toml").is_file() {
        bail!("the checkout {} is gone: build cargo xtask again where it is now", top.display());
    }
    Ok(top.to_owned())
}

/// The name of a testbed: `podsight-` and 8 hex digits of its state folder's path.
///
/// Names what cannot lie in the folder: the cgroup, the CNI network, the mark in the environment.
pub fn identity(state: &Path) -> String {
    let digest = Sha256::digest(state.as_os_str().as_encoded_bytes());
    format!("podsight-{}", hex(&digest).get(..8).unwrap_or_default())
}

/// Lower-case hex digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

fn user_cache() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute()) {
        return Ok(folder);
    }
    let home = env::var_os("HOME").filter(|home| !home.is_empty()).context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cache"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_state_folders_have_two_names() {
        let one = identity(Path::new("/a"));
        assert!(one.starts_with("podsight-") && one.len() == 17, "{one}");
        assert_ne!(one, identity(Path::new("/b")));
    }
}
