//! The live log by `/dev/kmsg`.

use crate::record::{Record, kmsg_record};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Larger than any record: the kernel holds back what does not fit (`PRINTK_MESSAGE_MAX` is 2,048 bytes, `CONSOLE_EXT_LOG_MAX` 8,192).
const BUFFER_BYTES: usize = 16 * 1024;

/// Reads the running kernel's log, one record a system call, without ever waiting.
///
/// It has a file descriptor of its own position: other readers lose nothing by it.
#[derive(Debug)]
pub struct DevKmsg {
    path: PathBuf,
    file: File,
    buffer: Box<[u8]>,
    /// The sequence number that the next record has if none is missing.
    next_seq: Option<u64>,
    lost: u64,
}

/// Why the log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The device cannot be opened.
    #[error("failed to open `{path}`")]
    Open {
        /// The device.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The device cannot be read.
    #[error("failed to read `{path}`")]
    Read {
        /// The device.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl DevKmsg {
    /// Opens the device at the oldest record that the ring still holds.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open(path)
            .map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, buffer: vec![0; BUFFER_BYTES].into_boxed_slice(), next_seq: None, lost: 0 })
    }

    /// Says which sequence number comes next, from before a restart: what the ring no longer holds is then counted as lost.
    pub fn expect(&mut self, next_seq: u64) {
        self.next_seq = Some(next_seq);
    }

    /// Goes to the end, so that only new records are given.
    pub fn skip_to_end(&mut self) -> Result<(), ReadError> {
        self.next_seq = None;
        self.file.seek(SeekFrom::End(0)).map(drop).map_err(|source| self.failed(source))
    }

    /// The next record, or none if there is no more at this moment. Wait for more by polling the file descriptor for reading.
    ///
    /// Records that were overwritten before they could be read are counted in [`Record::lost`] and [`DevKmsg::lost`], exactly.
    pub fn read(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        let length = loop {
            match self.file.read(&mut self.buffer) {
                Ok(length) => break length,
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN) => return Ok(None),
                    // EPIPE: overwritten under us, the next read goes on with the oldest record. EINVAL: a record larger than the buffer, which the
                    // kernel has passed over. Both show as a gap in the numbers.
                    Some(libc::EPIPE | libc::EINVAL | libc::EINTR) => {}
                    _ => return Err(self.failed(error)),
                },
            }
        };
        let Some(bytes) = self.buffer.get(..length).filter(|bytes| !bytes.is_empty()) else {
            return Ok(None);
        };
        let Some(mut record) = kmsg_record(bytes) else {
            // Not a record: give the text, so that the caller can tell of it.
            return Ok(Some(Record { text: bytes.into(), ..Record::default() }));
        };
        if let Some(seq) = record.seq {
            record.lost = self.next_seq.map_or(0, |next| seq.saturating_sub(next));
            self.lost = self.lost.saturating_add(record.lost);
            self.next_seq = Some(seq.saturating_add(1));
        }
        Ok(Some(record))
    }

    /// Records that were overwritten before they could be read.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    fn failed(&self, source: io::Error) -> ReadError {
        ReadError::Read { path: self.path.clone(), source }
    }
}

impl AsRawFd for DevKmsg {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

impl AsFd for DevKmsg {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_device_is_named() {
        let error = DevKmsg::open(Path::new("/nowhere/kmsg")).unwrap_err();
        assert_eq!(error.to_string(), "failed to open `/nowhere/kmsg`");
    }

    #[test]
    fn the_running_kernels_log_has_no_gap_where_it_can_be_read() {
        let Ok(mut log) = DevKmsg::open(Path::new("/dev/kmsg")) else {
            println!("skipped: /dev/kmsg cannot be opened here");
            return;
        };
        let first = log.read().unwrap().and_then(|record| record.seq);
        let mut last = first;
        for _ in 0..1000 {
            match log.read().unwrap() {
                Some(record) => {
                    assert_eq!(record.seq, last.map(|last| last + 1 + record.lost));
                    last = record.seq;
                }
                None => break,
            }
        }
    }

    #[test]
    fn what_the_ring_no_longer_holds_is_lost() {
        let Ok(mut log) = DevKmsg::open(Path::new("/dev/kmsg")) else {
            println!("skipped: /dev/kmsg cannot be opened here");
            return;
        };
        let Some(oldest) = log.read().unwrap().and_then(|record| record.seq) else { return };
        let mut log = DevKmsg::open(Path::new("/dev/kmsg")).unwrap();
        log.expect(oldest.saturating_sub(5));
        let lost = log.read().unwrap().unwrap().lost;
        assert!(lost >= 5.min(oldest));
    }
}
