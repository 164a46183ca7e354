//! How far the log was read, as the file that a restarted agent finds.

use crate::id::{BadId, BootId, KillId};
use crate::pods::{MAX_PAST_IDS, PastId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The version of the file.
const VERSION: u32 = 1;
/// A longer file is not ours.
pub const MAX_BYTES: usize = 64 * 1024;
/// So many pods are kept whose kills were written while an earlier kill was not.
pub const MAX_WRITTEN: usize = 128;
/// Longer than any id, UID or name of a container.
const MAX_FIELD_BYTES: usize = 64;

/// What is kept between two runs on one boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last kill of which everything was written; absent if there was none.
    pub through: Option<KillId>,
    /// The boot that it holds for.
    pub boot: BootId,
    /// The account, where the kernel counts.
    pub account: Option<Account>,
    /// Ids of containers that have left the API's status, the oldest first.
    pub past_ids: Arc<[PastId]>,
    /// What was written beyond `through`: the UID of each pod, and its last written kill.
    pub written: Vec<(String, KillId)>,
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
    /// Container id, pod UID, container name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    past_ids: Vec<(String, String, String)>,
    /// Pod UID, mark.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    written: Vec<(String, String)>,
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
    let is_fine =
        |past: &(String, String, String)| [&past.0, &past.1, &past.2].iter().all(|text| (1..=MAX_FIELD_BYTES).contains(&text.len()));
    let past_ids = file.past_ids.into_iter().filter(is_fine).take(MAX_PAST_IDS);
    let past_ids = past_ids.map(|(id, uid, container)| PastId { id, uid, container }).collect();
    let written = file.written.into_iter().filter(|(uid, _)| (1..=MAX_FIELD_BYTES).contains(&uid.len())).take(MAX_WRITTEN);
    let written = written.filter_map(|(uid, mark)| Some((uid, position(Some(mark)).ok()??))).collect();
    Ok(Checkpoint { through: position(file.through)?, boot, account, past_ids, written })
}

/// Writes the file.
pub fn write(checkpoint: &Checkpoint) -> Vec<u8> {
    let mark = |id: Option<KillId>| id.map(|id| id.mark());
    let account = checkpoint.account.map(|account| FileAccount { counter: account.counter, through: mark(account.through) });
    let past_ids = checkpoint.past_ids.iter().map(|past| (past.id.clone(), past.uid.clone(), past.container.clone())).collect();
    let written = checkpoint.written.iter().take(MAX_WRITTEN).map(|(uid, id)| (uid.clone(), id.mark())).collect();
    let file = File { v: VERSION, boot: checkpoint.boot.to_string(), through: mark(checkpoint.through), account, past_ids, written };
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
            past_ids: [PastId { id: "5".repeat(64), uid: "u".to_owned(), container: "main".to_owned() }].into(),
            written: vec![("u".to_owned(), KillId::from_mark("4f1d2c3b:481:5298000:161").unwrap())],
        };
        let bytes = write(&checkpoint);
        assert_eq!(read(&bytes).unwrap(), checkpoint);
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(matches!(read(br#"{"v":9,"boot":"4f1d2c3b"}"#), Err(CheckpointError::Version(9))));
        assert!(matches!(read(br#"{"v":1,"boot":"4f1d2c3b","through":"00000000:1:2:3"}"#), Err(CheckpointError::Position(_))));
        assert!(matches!(read(&vec![b' '; 70_000]), Err(CheckpointError::TooLong(70_000))));
    }

    #[test]
    fn a_full_history_fits_and_what_cannot_be_an_id_is_left_out() {
        let past =
            |n: usize| PastId { id: format!("{n:064}"), uid: "3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f".to_owned(), container: "c".repeat(63) };
        let id = KillId::from_mark(&format!("4f1d2c3b:{0}:{0}:{1}", u64::MAX / 10, u32::MAX)).unwrap();
        let checkpoint = Checkpoint {
            boot: "4f1d2c3b".parse().unwrap(),
            through: None,
            account: None,
            past_ids: (0..MAX_PAST_IDS).map(past).collect(),
            written: (0..MAX_WRITTEN).map(|n| (format!("3f1c2a44-9d1e-4b7a-8c55-{n:012}"), id)).collect(),
        };
        assert_eq!(read(&write(&checkpoint)).unwrap(), checkpoint);
        let long = "x".repeat(65);
        let text = format!(
            r#"{{"v":1,"boot":"4f1d2c3b","through":null,"account":null,"past_ids":[["{long}","u","c"],["i","","c"],["i","u","c"]]}}"#
        );
        assert_eq!(
            *read(text.as_bytes()).unwrap().past_ids,
            [PastId { id: "i".to_owned(), uid: "u".to_owned(), container: "c".to_owned() }]
        );
        let of_before = read(br#"{"v":1,"boot":"4f1d2c3b","through":null,"account":null}"#).unwrap();
        assert!(of_before.past_ids.is_empty() && of_before.written.is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(read(&bytes));
        }
    }
}
