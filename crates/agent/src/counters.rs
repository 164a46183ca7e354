//! The kernel's own counts.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// `/proc/vmstat` has some 200 lines of 25 bytes.
const BUFFER_BYTES: usize = 16 * 1024;

/// `/proc/vmstat`, kept open: reading it costs some 20 µs, needs no privilege, and shows the whole machine in every container.
#[derive(Debug)]
pub struct Vmstat {
    path: PathBuf,
    file: Option<File>,
    buffer: Box<[u8]>,
}

impl Vmstat {
    /// The file under this proc file system.
    pub fn new(proc: &Path) -> Self {
        let path = proc.join("vmstat");
        let file = match File::open(&path) {
            Ok(file) => Some(file),
            Err(error) => {
                tracing::warn!(path = %path.display(), error = &error as &dyn std::error::Error, "Without this file lost kills cannot be noticed.");
                None
            }
        };
        Self { path, file, buffer: vec![0; BUFFER_BYTES].into_boxed_slice() }
    }

    /// `oom_kill`: all kills since boot. `None` before Linux 4.13.
    pub fn oom_kill(&mut self) -> Option<u64> {
        let file = self.file.as_ref()?;
        match read_whole(file, &mut self.buffer) {
            Ok(length) => podsight_cgroup::vmstat_oom_kill(self.buffer.get(..length)?),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), error = &error as &dyn std::error::Error, "Failed to read the kernel's counters.");
                None
            }
        }
    }
}

/// A file of the kernel gives a page a call.
fn read_whole(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(free) = buffer.get_mut(length..).filter(|free| !free.is_empty()) {
        let read = file.read_at(free, u64::try_from(length).unwrap_or(u64::MAX))?;
        if read == 0 {
            break;
        }
        length += read;
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_of_this_machine_can_be_read_again_and_again() {
        let mut vmstat = Vmstat::new(Path::new("/proc"));
        let first = vmstat.oom_kill();
        assert!(vmstat.oom_kill() >= first);
        assert_eq!(Vmstat::new(Path::new("/nowhere")).oom_kill(), None);
    }
}
