//! The checkpoint's file.

use podsight_evidence::checkpoint::{self, Checkpoint, CheckpointError};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

const NAME: &str = "checkpoint.json";

/// The file in the state folder.
#[derive(Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    scratch: PathBuf,
    written: Option<Checkpoint>,
}

/// Why the file could not be read or written.
#[derive(Debug, Error)]
pub enum FileError {
    /// Reading it.
    #[error("failed to read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its contents.
    #[error("failed to use `{path}`")]
    Contents {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: CheckpointError,
    },
    /// Writing it.
    #[error("failed to write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl CheckpointFile {
    /// The file in this folder, which need not exist.
    pub fn new(folder: &Path) -> Self {
        Self { path: folder.join(NAME), scratch: folder.join(format!("{NAME}.new")), written: None }
    }

    /// Reads it. `None` if there is none.
    pub fn read(&self) -> Result<Option<Checkpoint>, FileError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(FileError::Read { path: self.path.clone(), source }),
        };
        let mut bytes = Vec::new();
        let limit = u64::try_from(checkpoint::MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_end(&mut bytes).map_err(|source| FileError::Read { path: self.path.clone(), source })?;
        checkpoint::read(&bytes).map(Some).map_err(|source| FileError::Contents { path: self.path.clone(), source })
    }

    /// Writes it, unless it says the same already. A reader sees the old one or the new one, never a part.
    ///
    /// It is not synced to the disk: after a crash of the machine there is another boot, for which it does not hold anyway.
    pub fn write(&mut self, checkpoint: &Checkpoint) -> Result<(), FileError> {
        if self.written.as_ref() == Some(checkpoint) {
            return Ok(());
        }
        let bytes = checkpoint::write(checkpoint);
        let replace = || {
            let mut file = File::create(&self.scratch)?;
            file.write_all(&bytes)?;
            drop(file);
            fs::rename(&self.scratch, &self.path)
        };
        replace().map_err(|source| FileError::Write { path: self.path.clone(), source })?;
        self.written = Some(checkpoint.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use podsight_evidence::id::KillId;

    #[test]
    fn a_broken_file_is_an_error_and_a_missing_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = CheckpointFile::new(folder.path());
        assert_eq!(file.read().unwrap(), None);
        let checkpoint = Checkpoint {
            boot: "4f1d2c3b".parse().unwrap(),
            through: KillId::from_mark("4f1d2c3b:4:5:6").ok(),
            account: None,
            past_ids: [].into(),
            written: Vec::new(),
        };
        file.write(&checkpoint).unwrap();
        assert_eq!(file.read().unwrap(), Some(checkpoint));
        fs::write(folder.path().join(NAME), "{").unwrap();
        assert!(matches!(file.read(), Err(FileError::Contents { .. })));
        let missing = CheckpointFile::new(&folder.path().join("no")).write(&Checkpoint {
            boot: "4f1d2c3b".parse().unwrap(),
            through: None,
            account: None,
            past_ids: [].into(),
            written: Vec::new(),
        });
        assert!(matches!(missing, Err(FileError::Write { .. })));
    }
}
