//! How far the log was read, as the file that a restarted agent finds.

use crate::id::{BadId, BootId, KillId};
use serde::{Deserialize, Serialize};

/// The version of the file.
const VERSION: u32 = 1;
/// A longer file is not ours.
pub const MAX_BYTES: usize = 16 * 1024;

/// What is kept between two runs on one boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last kill of which everything was written; absent if there was none.
    pub through: Option<KillId>,
    /// The boot that it holds for.
    pub boot: BootId,
    /// The account, where the kernel counts.
    pub account: Option<Account>,
}

/// A state in which the account added up: all kill lines up to `through` had been read when the kernel's counter stood at `counter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// `/proc/vmstat oom_kill`
    pub counter: u64,
    /// The last kill line that was read by then; absent if there was none.
    pub through: Option<KillId>,
}

/// A file that cannot be used. The agent then reads the log from its beginning, and what is on the pods already is not written again.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Longer than ours ever is.
    #[error("the checkpoint has {0} bytes, more than {MAX_BYTES}")]
    TooLong(usize),
    /// No JSON of this shape.
    #[error("failed to read the checkpoint as JSON")]
    Json(#[source] serde_json::Error),
    /// Written by another release.
    #[error("the checkpoint has version {0}; this release reads version {VERSION}")]
    Version(u32),
    /// Its numbers do not make sense.
    #[error("failed to read the position in the checkpoint")]
    Position(#[source] BadId),
}

#[derive(Serialize, Deserialize)]
struct File {
    v: u32,
    boot: String,
    through: Option<String>,
    account: Option<FileAccount>,
}

#[derive(Serialize, Deserialize)]
struct FileAccount {
    counter: u64,
    through: Option<String>,
}

/// Reads the file.
pub fn read(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    if bytes.len() > MAX_BYTES {
        return Err(CheckpointError::TooLong(bytes.len()));
    }
    let file: File = serde_json::from_slice(bytes).map_err(CheckpointError::Json)?;
    if file.v != VERSION {
        return Err(CheckpointError::Version(file.v));
    }
    let boot: BootId = file.boot.parse().map_err(CheckpointError::Position)?;
    let position = |mark: Option<String>| match mark.map(|mark| KillId::from_mark(&mark)).transpose() {
        Ok(Some(id)) if id.boot != boot => Err(CheckpointError::Position(BadId)),
        other => other.map_err(CheckpointError::Position),
    };
    let account = match file.account {
        Some(account) => Some(Account { counter: account.counter, through: position(account.through)? }),
        None => None,
    };
    Ok(Checkpoint { through: position(file.through)?, boot, account })
}

/// Writes the file.
pub fn write(checkpoint: &Checkpoint) -> Vec<u8> {
    let mark = |id: Option<KillId>| id.map(|id| id.mark());
    let account = checkpoint.account.map(|account| FileAccount { counter: account.counter, through: mark(account.through) });
    let file = File { v: VERSION, boot: checkpoint.boot.to_string(), through: mark(checkpoint.through), account };
    // Numbers and strings always serialise.
    serde_json::to_vec(&file).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_torn_or_foreign_file_is_refused() {
        let checkpoint = Checkpoint {
            boot: "4f1d2c3b".parse().unwrap(),
            through: Some(KillId::from_mark("4f1d2c3b:476:5297431:158").unwrap()),
            account: Some(Account { counter: 3, through: KillId::from_mark("4f1d2c3b:480:5297999:160").ok() }),
        };
        let bytes = write(&checkpoint);
        assert_eq!(read(&bytes).unwrap(), checkpoint);
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(matches!(read(br#"{"v":9,"boot":"4f1d2c3b"}"#), Err(CheckpointError::Version(9))));
        assert!(matches!(read(br#"{"v":1,"boot":"4f1d2c3b","through":"00000000:1:2:3"}"#), Err(CheckpointError::Position(_))));
        assert!(matches!(read(&vec![b' '; 20_000]), Err(CheckpointError::TooLong(20_000))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(read(&bytes));
        }
    }
}
