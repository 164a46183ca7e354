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
        match find(file, &mut self.buffer) {
            Ok(count) => count,
            Err(error) => {
                tracing::warn!(path = %self.path.display(), error = &error as &dyn std::error::Error, "Failed to read the kernel's counters.");
                None
            }
        }
    }
}

/// A file of the kernel gives a page a call. The kernel makes its text anew for each, so nothing is read beyond the line.
fn find(file: &File, buffer: &mut [u8]) -> io::Result<Option<u64>> {
    let mut length = 0;
    while let Some(free) = buffer.get_mut(length..).filter(|free| !free.is_empty()) {
        let read = file.read_at(free, u64::try_from(length).unwrap_or(u64::MAX))?;
        if read == 0 {
            break;
        }
        length += read;
        // A line that goes on in the next part would have a count of its first digits.
        let lines = memchr::memrchr(b'\n', buffer.get(..length).unwrap_or_default()).and_then(|end| buffer.get(..end));
        if let Some(count) = lines.and_then(podsight_cgroup::vmstat_oom_kill) {
            return Ok(Some(count));
        }
    }
    Ok(None)
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

    #[test]
    fn a_counter_is_found_behind_whole_lines_alone() {
        let folder = tempfile::tempdir().unwrap();
        let count_in = |text: &str| {
            std::fs::write(folder.path().join("vmstat"), text).unwrap();
            Vmstat::new(folder.path()).oom_kill()
        };
        assert_eq!(count_in("nr_free_pages 1\noom_kill 12\ndrop_pagecache 3\n"), Some(12));
        assert_eq!(count_in("nr_free_pages 1\noom_kill 1"), None);
        assert_eq!(count_in("nr_free_pages 1\n"), None);
    }
}
