//! What a log says, as both forms of output need it.

use podsight_cgroup::{CgroupPath, Scope, parse};
use podsight_oom::{Event, Kill, Machine, NoKill, read_log};
use std::collections::{BTreeMap, BTreeSet};

/// The kills of one or more logs.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    /// In the order of the logs.
    pub(super) kills: Vec<Kill>,
    /// Reports whose kill line is missing.
    pub(super) incomplete: Vec<Kill>,
    /// Times that the kernel looked for somebody to kill and killed nobody.
    pub(super) nobody: Vec<NoKill>,
    /// Reports that the kernel left out.
    pub(super) suppressed: u64,
    /// Look-alikes that did not come from the kernel.
    pub(super) rejected: u64,
    /// Records missing between two sequence numbers.
    pub(super) lost: u64,
    /// Where in `kills` the kill of a time and a pid is.
    places: BTreeMap<(u64, Option<u32>), usize>,
}

impl Analysis {
    /// Reads one more log.
    pub(super) fn read(&mut self, log: &[u8], machine: &mut Machine) {
        let mut events = Vec::new();
        self.lost = self.lost.saturating_add(read_log(log, machine, &mut events));
        for event in events {
            match event {
                Event::Kill(kill) => self.kill(*kill),
                Event::Incomplete(kill) => self.incomplete.push(*kill),
                Event::NoKill(why) => self.nobody.push(why),
                Event::Suppressed(reports) => self.suppressed = self.suppressed.saturating_add(reports),
                Event::Rejected => self.rejected = self.rejected.saturating_add(1),
            }
        }
    }

    /// Adds a kill, or says more of the one that was added last. Two copies of a log, in one file or in two, tell the same kill twice.
    fn kill(&mut self, kill: Kill) {
        let same = |other: &Kill| (other.seq, other.usec, other.pid) == (kill.seq, kill.usec, kill.pid);
        if let Some(last) = self.kills.last_mut().filter(|last| same(last) && (kill.group_cgroup.is_some() || !kill.sharing.is_empty())) {
            *last = kill;
            return;
        }
        if let Some(usec) = kill.usec {
            let place = *self.places.entry((usec, kill.pid)).or_insert(self.kills.len());
            if self.kills.get(place).is_some_and(|other| is_copy(other, &kill)) {
                return;
            }
        }
        self.kills.push(kill);
    }

    pub(super) fn incidents(&self) -> u64 {
        self.kills.iter().map(|kill| kill.incident).collect::<BTreeSet<_>>().len() as u64
    }
}

/// Whether two kills of one microsecond and one pid are one. Another boot may have the same, but hardly the same sizes.
fn is_copy(one: &Kill, other: &Kill) -> bool {
    let sizes = |kill: &Kill| (kill.total_vm_kb, kill.anon_rss_kb, kill.file_rss_kb, kill.shmem_rss_kb);
    // Of two forms of a log, only one has numbers.
    let numbers = one.seq.zip(other.seq).is_none_or(|(one, other)| one == other);
    numbers && one.comm == other.comm && sizes(one) == sizes(other)
}

/// Where a kill happened.
pub(super) struct Place {
    /// The victim's cgroup.
    pub(super) victim: CgroupPath,
    /// The level of the limit.
    pub(super) scope: Option<Scope>,
    /// The trigger's cgroup, as a path where the kernel's last component is that of a path in the same report.
    pub(super) trigger_cgroup: Option<Vec<u8>>,
}

impl Place {
    pub(super) fn of(kill: &Kill) -> Self {
        let victim = kill.victim_cgroup.as_deref().map(parse).unwrap_or_default();
        let scope = match kill.limit_cgroup.as_deref() {
            Some(limit) => parse(limit).scope,
            None => (kill.global == Some(true)).then_some(Scope::Node),
        };
        let trigger_cgroup = kill.trigger.as_ref().and_then(|trigger| trigger.cgroup.clone()).map(|name| {
            let paths = [kill.victim_cgroup.as_deref(), kill.limit_cgroup.as_deref()];
            let whole = paths.into_iter().flatten().find(|path| name.len() > 1 && path.rsplit(|byte| *byte == b'/').next() == Some(&name));
            whole.map(<[u8]>::to_vec).unwrap_or(name)
        });
        Self { victim, scope, trigger_cgroup }
    }
}

/// The kills that belong together.
pub(super) struct Incident<'a> {
    pub(super) kills: Vec<&'a Kill>,
}

impl Analysis {
    /// The incidents in the order of the log.
    pub(super) fn by_incident(&self) -> Vec<Incident<'_>> {
        let mut incidents: Vec<Incident<'_>> = Vec::new();
        for kill in &self.kills {
            match incidents.last_mut().filter(|last| last.kills.last().is_some_and(|last| last.incident == kill.incident)) {
                Some(incident) => incident.kills.push(kill),
                None => incidents.push(Incident { kills: vec![kill] }),
            }
        }
        incidents
    }

    /// Puts dates to times since boot, for a log of the machine that this runs on.
    pub(super) fn date(&mut self, boot: Option<i64>) {
        let Some(boot) = boot else { return };
        for kill in self.kills.iter_mut().chain(&mut self.incomplete) {
            if let (None, Some(usec)) = (&kill.time, kill.usec) {
                let seconds = i64::try_from(usec / 1_000_000).unwrap_or(i64::MAX).saturating_add(boot);
                kill.time = jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string());
            }
        }
    }
}
