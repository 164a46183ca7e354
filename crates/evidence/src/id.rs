//! The identity of a kill, and the high-water mark made of it.

use std::fmt;
use std::str::FromStr;

/// The first 8 hex digits of `/proc/sys/kernel/random/boot_id`. Sequence numbers and microseconds start again with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId(u32);

impl fmt::Display for BootId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}", self.0)
    }
}

impl FromStr for BootId {
    type Err = BadId;

    /// Takes the first 8 hex digits of the text; what follows them is not looked at.
    fn from_str(text: &str) -> Result<Self, BadId> {
        let digits = text.get(..8).ok_or(BadId)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(BadId);
        }
        u32::from_str_radix(digits, 16).map(Self).map_err(|_| BadId)
    }
}

/// A text that is no id of a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of a kill: expected `boot:sequence` or `boot:microseconds:pid`")]
pub struct BadId;

/// Which kill line this is. The kernel prints kill lines under `oom_lock`, so within one boot both numbers only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KillId {
    /// The boot that it belongs to.
    pub boot: BootId,
    /// The record's sequence number, where the log gives one.
    pub seq: Option<u64>,
    /// Microseconds since boot.
    pub usec: Option<u64>,
    /// The victim.
    pub pid: Option<u32>,
}

impl KillId {
    /// Whether a log that was read up to and including `self` has shown `other`.
    ///
    /// Where one of the two has no sequence number (read by syslog(2)) the time decides, and at the same microsecond the pid.
    pub fn covers(&self, other: &Self) -> bool {
        if self.boot != other.boot {
            return false;
        }
        if let (Some(mine), Some(theirs)) = (self.seq, other.seq) {
            return theirs <= mine;
        }
        match (self.moment(), other.moment()) {
            (Some(mine), Some(theirs)) => theirs < mine || (theirs == mine && other.pid == self.pid),
            _ => false,
        }
    }

    /// Whether the record can be told from every other of its boot. By syslog(2) it cannot where the kernel writes no time stamps (`printk.time=0`).
    pub fn is_stamped(&self) -> bool {
        self.seq.is_some() || self.moment().is_some()
    }

    /// A stamp of 0 is none: nothing is killed before the clock runs.
    fn moment(&self) -> Option<u64> {
        self.usec.filter(|usec| *usec > 0)
    }

    /// The long form, which keeps all three numbers: `boot:seq:usec:pid`, `-` where one is not known.
    pub fn mark(&self) -> String {
        let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        format!("{}:{}:{}:{}", self.boot, number(self.seq), number(self.usec), number(self.pid.map(u64::from)))
    }

    /// Reads the long form.
    pub fn from_mark(text: &str) -> Result<Self, BadId> {
        if text.len() > 64 {
            return Err(BadId);
        }
        let mut fields = text.split(':');
        let boot = fields.next().filter(|boot| boot.len() == 8).ok_or(BadId)?.parse()?;
        let seq = number(fields.next())?;
        let usec = number(fields.next())?;
        let pid = number(fields.next())?.map(u32::try_from).transpose().map_err(|_| BadId)?;
        match fields.next() {
            None => Ok(Self { boot, seq, usec, pid }),
            Some(_) => Err(BadId),
        }
    }
}

/// The short form that users see: `boot:seq`, or `boot:usec:pid` where the log has no sequence numbers.
impl fmt::Display for KillId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seq {
            Some(seq) => write!(formatter, "{}:{seq}", self.boot),
            None => write!(formatter, "{}:{}:{}", self.boot, self.usec.unwrap_or(0), self.pid.unwrap_or(0)),
        }
    }
}

fn number(field: Option<&str>) -> Result<Option<u64>, BadId> {
    match field {
        Some("-") => Ok(None),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().map(Some).map_err(|_| BadId),
        _ => Err(BadId),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(seq: Option<u64>, usec: Option<u64>, pid: Option<u32>) -> KillId {
        KillId { boot: BootId(0x4f1d_2c3b), seq, usec, pid }
    }

    #[test]
    fn the_forms_are_those_of_the_contract() {
        assert_eq!(id(Some(476), Some(5_297_431), Some(158)).to_string(), "4f1d2c3b:476");
        assert_eq!(id(None, Some(5_297_431), Some(158)).to_string(), "4f1d2c3b:5297431:158");
    }

    #[test]
    fn the_mark_survives_writing_and_reading() {
        for mark in [id(Some(476), Some(5), Some(1)), id(None, Some(5), None), id(Some(0), None, None)] {
            assert_eq!(KillId::from_mark(&mark.mark()), Ok(mark));
        }
        for bad in [
            "",
            "4f1d2c3b",
            "4f1d2c3b:1:2",
            "4f1d2c3b:1:2:3:4",
            "4f1d2c3b:+1:2:3",
            "4f1d2c3:1:2:3",
            "4f1d2c3b:1:2:99999999999",
            "🦀🦀:1:2:3",
        ] {
            assert_eq!(KillId::from_mark(bad), Err(BadId), "{bad}");
        }
    }

    #[test]
    fn a_mark_by_sequence_covers_what_syslog_shows_again() {
        let mark = id(Some(476), Some(1_000), Some(158));
        assert!(mark.covers(&id(None, Some(999), Some(7))));
        assert!(mark.covers(&id(None, Some(1_000), Some(158))));
        assert!(!mark.covers(&id(None, Some(1_000), Some(159))));
        assert!(!mark.covers(&id(None, Some(1_001), Some(158))));
        assert!(!mark.covers(&id(Some(477), Some(900), Some(158))));
    }

    #[test]
    fn without_stamps_nothing_is_covered() {
        for usec in [None, Some(0)] {
            let bare = id(None, usec, Some(158));
            assert!(!bare.is_stamped());
            assert!(!bare.covers(&bare) && !id(None, Some(1_000), None).covers(&bare));
        }
        assert!(id(Some(0), None, None).is_stamped() && id(None, Some(1), None).is_stamped());
    }

    #[test]
    fn another_boot_is_never_covered() {
        let mark = id(Some(476), Some(1_000), None);
        assert!(!mark.covers(&KillId { boot: BootId(1), ..mark }));
    }

    #[test]
    fn a_boot_id_is_its_first_eight_digits() {
        assert_eq!("4f1d2c3b-9d1e-4b7a-8c55-0a1b2c3d4e5f\n".parse::<BootId>().unwrap().to_string(), "4f1d2c3b");
        assert_eq!("4f1d".parse::<BootId>(), Err(BadId));
        assert_eq!("+f1d2c3b".parse::<BootId>(), Err(BadId));
    }
}
