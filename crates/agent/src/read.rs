//! The kernel log, from wherever it can be read.

use crate::args::KernelLog;
use podsight_kmsg::{DevKmsg, ReadError, Record, Replay, Syslog, SyslogError};
use podsight_oom::{Event, Machine};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use tokio::time::Instant;

const DEV_KMSG: &str = "/dev/kmsg";
/// Records that are taken in one go: so many kills more than it asked for the node may be given.
const BATCH: usize = 512;
/// Without a movement of the counter the ring is read so often: before Linux 4.13 there is no counter, and not every line that matters is a kill.
const SLOW: Duration = Duration::from_secs(30);
/// A recorded log that is larger is cut: it is read as a whole.
const FILE_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// A source of records, and the state machine over them.
#[derive(Debug)]
pub struct Reader {
    source: Source,
    machine: Machine,
    events: Vec<Event>,
    found: Vec<Found>,
    lost: u64,
    read_at: Option<Instant>,
}

/// What was found in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// An event of the state machine.
    Event(Event),
    /// A kill line that tells of no new kill: the victim of a group kill is printed, and counted by the kernel, twice.
    SecondLine,
}

#[derive(Debug)]
enum Source {
    Kmsg(DevKmsg),
    Syslog(Syslog),
    File(Option<Vec<u8>>),
    /// Records as the device gives them, and failures between them.
    #[cfg(test)]
    Records(std::collections::VecDeque<Result<String, io::Error>>),
}

/// Why the kernel log cannot be read.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The device.
    #[error("failed to read the kernel log by {DEV_KMSG}")]
    DevKmsg(#[source] ReadError),
    /// The system call.
    #[error("failed to read the kernel log by syslog(2); the container needs the capability SYSLOG, uid 0 and the host's user namespace")]
    Syslog(#[source] SyslogError),
    /// The file.
    #[error("failed to read the recorded log `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Reader {
    /// Opens the source that the command line names.
    pub fn open(from: &KernelLog) -> Result<Self, SourceError> {
        let source = match from {
            KernelLog::DevKmsg => open_kmsg()?,
            KernelLog::Syslog => open_syslog()?,
            KernelLog::Auto => match open_kmsg() {
                Ok(source) => source,
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "Trying syslog(2).");
                    open_syslog()?
                }
            },
            KernelLog::File(path) => {
                Source::File(Some(read_file(path).map_err(|source| SourceError::File { path: path.clone(), source })?))
            }
        };
        Ok(Self::of(source))
    }

    fn of(source: Source) -> Self {
        Self { source, machine: Machine::default(), events: Vec::new(), found: Vec::new(), lost: 0, read_at: None }
    }

    /// A log of which each record, or failure, is given by one read.
    #[cfg(test)]
    pub(crate) fn of_records(records: impl IntoIterator<Item = Result<String, io::Error>>) -> Self {
        Self::of(Source::Records(records.into_iter().collect()))
    }

    /// What is read, for people.
    pub fn name(&self) -> &'static str {
        match self.source {
            Source::Kmsg(_) => DEV_KMSG,
            Source::Syslog(_) => "syslog(2)",
            Source::File(_) => "a recorded log",
            #[cfg(test)]
            Source::Records(_) => "records",
        }
    }

    /// Whether to read at this tick: `has_moved` says that the kernel has counted a kill.
    ///
    /// The device says for less than a microsecond that there is nothing new, so it is asked each time: waiting for it instead would wake the agent
    /// for every line that any driver logs. syslog(2) has to copy the whole ring.
    pub fn is_due(&self, has_moved: bool, now: Instant) -> bool {
        match &self.source {
            Source::Kmsg(_) => true,
            Source::Syslog(_) => has_moved || self.read_at.is_none_or(|at| now.saturating_duration_since(at) >= SLOW),
            Source::File(log) => log.is_some(),
            #[cfg(test)]
            Source::Records(_) => true,
        }
    }

    /// Reads what there is. Whether the end was reached: if not, there is more at once.
    pub fn read(&mut self, now: Instant) -> Result<bool, SourceError> {
        let is_first = self.read_at.replace(now).is_none();
        let mut sink = Sink { machine: &mut self.machine, events: &mut self.events, found: &mut self.found };
        match &mut self.source {
            Source::Kmsg(log) => {
                for _ in 0..BATCH {
                    let Some(record) = log.read().map_err(SourceError::DevKmsg)? else {
                        sink.idle();
                        return Ok(true);
                    };
                    self.lost = self.lost.saturating_add(record.lost);
                    sink.push(&record);
                }
                return Ok(false);
            }
            Source::Syslog(log) => {
                let new = log.read().map_err(SourceError::Syslog)?;
                if !new.overlap && !is_first {
                    // How many is not known: at least one.
                    self.lost = self.lost.saturating_add(1);
                }
                sink.replay(new.lines);
                sink.idle();
            }
            Source::File(log) => {
                if let Some(log) = log.take() {
                    self.lost = self.lost.saturating_add(sink.replay(&log));
                    sink.finish();
                }
            }
            #[cfg(test)]
            Source::Records(records) => {
                for _ in 0..BATCH {
                    let Some(record) = records.pop_front() else {
                        sink.idle();
                        return Ok(true);
                    };
                    let text = record.map_err(|source| SourceError::File { path: PathBuf::from("records"), source })?;
                    if let Some(record) = podsight_kmsg::kmsg_record(text.as_bytes()) {
                        self.lost = self.lost.saturating_add(record.lost);
                        sink.push(&record);
                    }
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What was found.
    pub fn take_found(&mut self) -> std::vec::Drain<'_, Found> {
        self.found.drain(..)
    }

    /// Records that were overwritten before they were read, since the last call. By syslog(2) it is the number of gaps.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

/// Where records go.
struct Sink<'a> {
    machine: &'a mut Machine,
    events: &'a mut Vec<Event>,
    found: &'a mut Vec<Found>,
}

impl Sink<'_> {
    fn push(&mut self, record: &Record<'_>) {
        let lines = self.machine.kill_lines();
        self.machine.push(record, self.events);
        self.take(lines);
    }

    fn idle(&mut self) {
        let lines = self.machine.kill_lines();
        self.machine.idle(self.events);
        self.take(lines);
    }

    fn finish(&mut self) {
        let lines = self.machine.kill_lines();
        self.machine.finish(self.events);
        self.take(lines);
    }

    /// Gives back how many records were missing.
    fn replay(&mut self, lines: &[u8]) -> u64 {
        let mut replay = Replay::new(lines);
        while let Some(record) = replay.next(self.machine.wants_everything()) {
            self.push(&record);
        }
        replay.lost()
    }

    fn take(&mut self, lines_before: u64) {
        let told = self.events.iter().filter(|event| matches!(event, Event::Kill(_))).count();
        let new = self.machine.kill_lines().saturating_sub(lines_before);
        let second = new.saturating_sub(u64::try_from(told).unwrap_or(u64::MAX));
        self.found.extend(self.events.drain(..).map(Found::Event));
        self.found.extend((0..second).map(|_| Found::SecondLine));
    }
}

fn open_kmsg() -> Result<Source, SourceError> {
    DevKmsg::open(Path::new(DEV_KMSG)).map(Source::Kmsg).map_err(SourceError::DevKmsg)
}

fn open_syslog() -> Result<Source, SourceError> {
    Syslog::open().map(Source::Syslog).map_err(SourceError::Syslog)
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(FILE_MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
