//! Logs that are kept with the newest line first: `journalctl -r`, and what web pages of logs copy.

use crate::frame::frame;
use crate::journal;
use crate::moment::{Moment, moment};
use std::borrow::Cow;

/// Lines whose times are looked at.
const LOOKED_AT: usize = 2000;
/// So many times must go back before a log counts as turned round.
const MIN_STEPS: usize = 2;
/// For each that goes forth: a boot, a turn of the year, lines of two processors.
const STEPS_BACK_FOR_ONE_FORTH: usize = 20;

/// The log with its oldest line first. Most logs are so and come back as they are.
pub fn oldest_first(log: &[u8]) -> Cow<'_, [u8]> {
    if is_newest_first(log) { Cow::Owned(turned(log)) } else { Cow::Borrowed(log) }
}

fn is_newest_first(log: &[u8]) -> bool {
    let (mut back, mut forth) = (0_usize, 0_usize);
    let mut before: Option<Moment<'_>> = None;
    for line in log.split(|byte| *byte == b'\n').take(LOOKED_AT) {
        let Some(moment) = moment_of(line) else { continue };
        match before.as_ref().and_then(|before| moment.compared_with(before)) {
            Some(std::cmp::Ordering::Less) => back += 1,
            Some(std::cmp::Ordering::Greater) => forth += 1,
            Some(std::cmp::Ordering::Equal) | None => {}
        }
        before = Some(moment);
    }
    back >= MIN_STEPS && back >= forth.saturating_mul(STEPS_BACK_FOR_ONE_FORTH)
}

fn moment_of(line: &[u8]) -> Option<Moment<'_>> {
    if line.first() == Some(&b'{') {
        return journal::json_line(line.trim_ascii())?.usec.map(Moment::Usec);
    }
    let framed = frame(line);
    if framed.bare {
        return None;
    }
    framed.usec.map(Moment::Usec).or_else(|| moment(framed.time?))
}

/// Lines in the opposite order. One that is indented goes with the line that it continues.
fn turned(log: &[u8]) -> Vec<u8> {
    let mut entries: Vec<&[u8]> = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        if at > start && !matches!(line.first(), Some(b' ' | b'\t')) {
            entries.extend(log.get(start..at));
            start = at;
        }
        at += line.len();
    }
    entries.extend(log.get(start..at).filter(|entry| !entry.is_empty()));
    let mut turned = Vec::with_capacity(log.len() + 1);
    for entry in entries.into_iter().rev() {
        turned.extend_from_slice(entry);
        // The last line of a file may have no end.
        if entry.last() != Some(&b'\n') {
            turned.push(b'\n');
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn turns(log: &str, expected: &str) {
        assert_eq!(String::from_utf8_lossy(&oldest_first(log.as_bytes())), expected);
    }

    #[test]
    fn what_runs_backwards_is_turned_round() {
        turns(
            "Nov 27 01:26:59 host kernel: c\nNov 27 01:26:58 host kernel: b\n                              b2\nNov 27 01:26:57 host kernel: a",
            "Nov 27 01:26:57 host kernel: a\nNov 27 01:26:58 host kernel: b\n                              b2\nNov 27 01:26:59 host kernel: c\n",
        );
        turns("[    3.0] c\n[    2.0] b\n[    1.0] a\n", "[    1.0] a\n[    2.0] b\n[    3.0] c\n");
        let json = |usec: u32| format!("{{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"a\",\"_SOURCE_MONOTONIC_TIMESTAMP\":\"{usec}\"}}\n");
        turns(&[json(3), json(2), json(1)].concat(), &[json(1), json(2), json(3)].concat());
    }

    #[test]
    fn all_else_stays_as_it_is() {
        for log in [
            "",
            "a\nb\n",
            "[    1.0] a\n[    2.0] b\n[    3.0] c\n",
            // Two boots; two processors.
            "[    8.0] a\n[    9.0] b\n[    0.0] c\n[    0.1] d\n",
            "[    1.1] a\n[    1.0] b\n[    1.3] c\n[    1.2] d\n",
            // Names run backwards in the alphabet while time runs forth.
            "Sep 30 01:00:00 host kernel: a\nOct 15 01:00:00 host kernel: b\nNov 20 01:00:00 host kernel: c\n",
            "[Wed Nov  5 01:00:00 2025] a\n[Tue Nov 11 01:00:00 2025] b\n[Mon Nov 17 01:00:00 2025] c\n",
        ] {
            assert!(matches!(oldest_first(log.as_bytes()), Cow::Borrowed(_)), "{log}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_lost(lines in proptest::collection::vec("[ -~]{0,20}", 0..50)) {
            let log = lines.iter().fold(String::new(), |log, line| format!("{log}{line}\n"));
            let mut turned: Vec<u8> = turned(log.as_bytes());
            let mut before = log.into_bytes();
            turned.sort_unstable();
            before.sort_unstable();
            assert_eq!(turned, before);
        }
    }
}
