//! The kernel log, read into the node and held against the kernel's own counter.

use crate::args::{Args, KernelLog};
use crate::clock;
use crate::counters::Vmstat;
use crate::metrics::AgentMetrics;
use crate::node::Node;
use crate::processes::Processes;
use crate::read::{Found, Reader, SourceError};
use podsight_oom::{Attribution, Event, Kill};
use std::time::Duration;
use tokio::time::Instant;

/// The account opens when the counter is the same before and after reading the log; in a storm it may take a few tries.
const OPENING_TRIES: u32 = 20;
/// How often the node's processes are looked at while nothing is killed. A node with 500 of them is looked at for 10 ms.
const SCAN: Duration = Duration::from_mins(1);

/// The log, how far it was read, and what is remembered to make more of its lines.
#[derive(Debug)]
pub struct Log {
    reader: Reader,
    /// Absent for a recorded log: this machine's counter has nothing to do with it.
    vmstat: Option<Vmstat>,
    /// The counter when the log was last read to its end.
    counter: Option<u64>,
    /// Whether the counter has moved at the last tick.
    has_moved: bool,
    processes: Option<Processes>,
    scanned_at: Instant,
    is_caught_up: bool,
    metrics: AgentMetrics,
}

impl Log {
    /// Opens the source that the command line names.
    pub fn open(args: &Args, metrics: AgentMetrics) -> Result<Self, SourceError> {
        let is_live = !matches!(args.kernel_log, KernelLog::File(_));
        Ok(Self {
            reader: Reader::open(&args.kernel_log)?,
            vmstat: is_live.then(|| Vmstat::new(&args.proc)),
            counter: None,
            has_moved: false,
            processes: Processes::open(&args.proc).filter(|_| is_live),
            scanned_at: Instant::now(),
            is_caught_up: false,
            metrics,
        })
    }

    /// What is read, for people.
    pub fn name(&self) -> &'static str {
        self.reader.name()
    }

    /// Reads all that the ring holds, until the counter is the same before and after.
    pub fn catch_up(&mut self, node: &mut Node) -> Result<(), SourceError> {
        for _ in 0..OPENING_TRIES {
            let before = self.kernel_count();
            self.read(node)?;
            if before == self.kernel_count() {
                self.counter = before;
                break;
            }
        }
        if let Some(counter) = self.counter {
            node.counter(counter);
        }
        self.is_caught_up = true;
        Ok(())
    }

    /// Reads what is new, if there may be something, and holds it against the counter.
    pub fn tick(&mut self, node: &mut Node) -> Result<(), SourceError> {
        let counter = self.kernel_count();
        self.has_moved = counter != self.counter;
        match counter {
            Some(counter) => {
                self.read_up_to(counter, node)?;
                node.counter(counter);
            }
            None if self.reader.is_due(false, Instant::now()) => self.read(node)?,
            None => {}
        }
        Ok(())
    }

    /// Reads on, if the counter says that there is more.
    pub fn read_on(&mut self, node: &mut Node) -> Result<(), SourceError> {
        match self.kernel_count() {
            Some(counter) => self.read_up_to(counter, node),
            None => Ok(()),
        }
    }

    /// Looks at the node's processes: now and then, and while something is being killed, so that the next victims are known.
    pub fn scan_processes(&mut self, now: Instant) {
        let Some(processes) = &mut self.processes else { return };
        if self.has_moved || now.saturating_duration_since(self.scanned_at) >= SCAN {
            processes.scan();
            self.scanned_at = now;
        }
    }

    /// What the kernel has counted since boot.
    fn kernel_count(&mut self) -> Option<u64> {
        self.vmstat.as_mut()?.oom_kill()
    }

    /// Reads the log, if it can tell more than when it was read last: `counter` was read just now.
    fn read_up_to(&mut self, counter: u64, node: &mut Node) -> Result<(), SourceError> {
        if self.reader.is_due(self.counter != Some(counter), Instant::now()) && !node.is_full() {
            self.read(node)?;
            // What moves the counter after this is read the next time.
            self.counter = Some(counter);
        }
        Ok(())
    }

    fn read(&mut self, node: &mut Node) -> Result<(), SourceError> {
        while !node.is_full() {
            let is_end = self.reader.read(Instant::now())?;
            let now = clock::now();
            for found in self.reader.take_found() {
                match found {
                    Found::Event(Event::Kill(mut kill)) => {
                        if let Some(processes) = self.processes.as_ref().filter(|_| self.is_caught_up) {
                            remember(processes, &mut kill);
                        }
                        let at = if self.is_caught_up { clock::at_live(kill.usec, now) } else { clock::at(kill.usec, now) };
                        node.kill(*kill, at, Instant::now());
                    }
                    Found::SecondLine => node.second_line(),
                    Found::Event(Event::Incomplete(_)) => drop(self.metrics.incomplete.inc()),
                    Found::Event(Event::NoKill(_)) => {}
                    Found::Event(Event::Suppressed(reports)) => drop(self.metrics.suppressed.inc_by(reports)),
                    Found::Event(Event::Rejected) => drop(self.metrics.rejected.inc()),
                }
            }
            let lost = self.reader.take_lost();
            if lost > 0 {
                self.metrics.lost_records.inc_by(lost);
                tracing::warn!(lost, "Records of the kernel log were overwritten before they were read.");
            }
            if is_end {
                break;
            }
        }
        Ok(())
    }
}

/// Adds what is remembered of the victim to a kill of which the kernel names no cgroup.
fn remember(processes: &Processes, kill: &mut Kill) {
    let (None, Some(pid), Some(comm)) = (&kill.victim_cgroup, kill.pid, &kill.comm) else { return };
    if let Some(cgroup) = processes.cgroup(pid, comm) {
        kill.victim_cgroup = Some(cgroup.to_vec());
        kill.attribution = Attribution::Pid;
    }
}
