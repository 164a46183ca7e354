//! What this machine's kernel said since the testbed began.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result};
use nix::fcntl::OFlag;

/// The longest record that the kernel gives in one read (`PRINTKRINGBUF` and its prefix), bytes, with room to spare.
const RECORD_BYTES: usize = 16 * 1024;

/// A place in the kernel's log.
#[derive(Debug)]
pub struct KernelLog(File);

impl KernelLog {
    /// The end of the log as it is now.
    pub fn from_now() -> Result<Self> {
        let mut log = OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open("/dev/kmsg")
            .context("open the kernel's log /dev/kmsg")?;
        log.seek(SeekFrom::End(0)).context("go to the end of /dev/kmsg")?;
        Ok(Self(log))
    }

    /// The records since the last call, as `/dev/kmsg` gives them.
    pub fn read(&mut self) -> Result<Vec<u8>> {
        let mut records = vec![];
        let mut record = vec![0; RECORD_BYTES];
        loop {
            match self.0.read(&mut record) {
                Ok(length) => records.extend_from_slice(record.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(records),
                // EPIPE: the ring has overtaken the reader, which goes on with the oldest record there is.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(error) => return Err(error).context("read /dev/kmsg"),
            }
        }
    }
}
