//! The live log by syslog(2), for a process that has `CAP_SYSLOG` and no device.
//!
//! Only actions that take nothing away from other readers are used: `SYSLOG_ACTION_READ_ALL` (3) and `SYSLOG_ACTION_SIZE_BUFFER` (10).
#![expect(unsafe_code, reason = "neither std nor nix has a call for syslog(2)")]

use std::io;

const READ_ALL: libc::c_int = 3;
const SIZE_BUFFER: libc::c_int = 10;

/// So many bytes at the end of the last reading are kept, to find the place again in the next one.
const TAIL_BYTES: usize = 4096;

/// Reads the running kernel's log again and again, and tells what is new.
#[derive(Debug)]
pub struct Syslog {
    buffer: Vec<u8>,
    tail: Vec<u8>,
}

/// Why the log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SyslogError {
    /// The size of the ring is not told.
    #[error("failed to ask syslog(2) for the size of the kernel log")]
    Size(#[source] io::Error),
    /// The ring is not told.
    #[error("failed to read the kernel log by syslog(2)")]
    Read(#[source] io::Error),
}

/// What has been logged since the reading before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewLines<'a> {
    /// Whole lines, `<prio>[  sec.usec] text`: feed them to a [`crate::Replay`].
    pub lines: &'a [u8],
    /// The end of the reading before is still in the ring, so nothing is missing. If it is not, an unknown number of records is lost, and `lines`
    /// is all that the ring holds.
    pub overlap: bool,
}

impl Syslog {
    /// Asks for the size of the ring. Fails where the log may not be read.
    pub fn open() -> Result<Self, SyslogError> {
        let size = klogctl(SIZE_BUFFER, &mut []).map_err(SyslogError::Size)?;
        // Each line gets a prefix that the ring does not hold as text, and a short line may be mostly prefix: twice is room enough for real logs.
        // What does not fit is the oldest.
        let mut log = Self { buffer: vec![0; size.saturating_mul(2).max(TAIL_BYTES)], tail: Vec::new() };
        log.read().map(drop)?;
        log.tail.clear();
        Ok(log)
    }

    /// What is new since the last call; at the first call all that the ring holds.
    pub fn read(&mut self) -> Result<NewLines<'_>, SyslogError> {
        let length = klogctl(READ_ALL, &mut self.buffer).map_err(SyslogError::Read)?;
        let whole = self.buffer.get(..length).unwrap_or_default();
        let new = new_lines(&self.tail, whole);
        let keep = whole.len().saturating_sub(TAIL_BYTES);
        self.tail.clear();
        self.tail.extend_from_slice(whole.get(keep..).unwrap_or_default());
        Ok(new)
    }
}

/// The part of `whole` that comes after `tail`, the last bytes of an earlier reading of the same ring.
///
/// An empty tail stands for no earlier reading. Time stamps make the tail unique; without them (`printk.time=0`) the last place that fits is taken.
pub fn new_lines<'a>(tail: &[u8], whole: &'a [u8]) -> NewLines<'a> {
    if tail.is_empty() {
        return NewLines { lines: whole, overlap: true };
    }
    // The common case, nothing new, first; and the ring may have dropped the beginning of the tail while its end is still there.
    let mut tail = tail;
    loop {
        if whole.ends_with(tail) {
            return NewLines { lines: &[], overlap: true };
        }
        if let Some(found) = memchr::memmem::rfind(whole, tail) {
            return NewLines { lines: whole.get(found + tail.len()..).unwrap_or_default(), overlap: true };
        }
        // Half of what is left, from the start of a line on, as long as it holds a whole line.
        let half = tail.get(tail.len() / 2..).unwrap_or_default();
        match memchr::memchr(b'\n', half).and_then(|end| half.get(end + 1..)).filter(|rest| rest.contains(&b'\n')) {
            Some(rest) if rest.len() < tail.len() => tail = rest,
            _ => return NewLines { lines: whole, overlap: false },
        }
    }
}

fn klogctl(action: libc::c_int, buffer: &mut [u8]) -> io::Result<usize> {
    let length = libc::c_int::try_from(buffer.len()).unwrap_or(libc::c_int::MAX);
    // SAFETY: the pointer and the length are those of one live, exclusively borrowed buffer, and the kernel writes at most `length` bytes to it.
    let result = unsafe { libc::klogctl(action, buffer.as_mut_ptr().cast(), length) };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(numbers: std::ops::Range<u32>) -> String {
        numbers.fold(String::new(), |lines, number| lines + &format!("<6>[{number:5}.000000] line {number}\n"))
    }

    #[test]
    fn the_first_reading_is_all_new() {
        assert_eq!(new_lines(b"", b"<6>a\n"), NewLines { lines: b"<6>a\n", overlap: true });
    }

    #[test]
    fn what_was_added_is_new_however_much_the_ring_has_dropped() {
        let tail = lines(90..100);
        for oldest in 0..100 {
            let whole = lines(oldest..105);
            let new = new_lines(tail.as_bytes(), whole.as_bytes());
            if oldest < 99 {
                assert_eq!(new, NewLines { lines: lines(100..105).as_bytes(), overlap: true }, "{oldest}");
            }
        }
        assert_eq!(new_lines(tail.as_bytes(), lines(50..100).as_bytes()), NewLines { lines: b"", overlap: true });
    }

    #[test]
    fn a_ring_that_has_turned_over_has_no_overlap() {
        let whole = lines(200..300);
        assert_eq!(new_lines(lines(90..100).as_bytes(), whole.as_bytes()), NewLines { lines: whole.as_bytes(), overlap: false });
        assert!(!new_lines(b"<6>x\n", b"").overlap);
    }

    #[test]
    fn the_running_kernels_log_where_it_can_be_read() {
        let Ok(mut log) = Syslog::open() else {
            println!("skipped: syslog(2) is not allowed here");
            return;
        };
        assert!(log.read().unwrap().overlap);
        let second = log.read().unwrap();
        assert!(second.overlap);
    }

    proptest::proptest! {
        #[test]
        fn lines_are_told_once(first in 1_u32..200, more in 0_u32..50, dropped in 0_u32..150, tail in 64_usize..5000) {
            let old = lines(0..first);
            let tail = &old.as_bytes()[old.len().saturating_sub(tail)..];
            let whole = lines(dropped..first + more);
            let new = new_lines(tail, whole.as_bytes());
            if new.overlap {
                assert_eq!(new.lines, lines(first.max(dropped)..first + more).as_bytes());
            } else {
                assert_eq!(new.lines, whole.as_bytes());
            }
        }
    }
}
