//! Kernel lines in frames that nobody has described: found by how they begin, in logs that somebody kept.

use crate::frame::{Framed, frame};
use crate::stamp::bracket;
use memchr::memmem;

/// How far into a line the kernel's text is looked for.
const REACH_BYTES: usize = 400;
/// A process name is no longer than this (`TASK_COMM_LEN`).
const MAX_COMM_BYTES: usize = 15;

/// Beginnings of lines of a report. The leftmost counts: what stands behind one is a name or a path, and may be anything.
const STARTS: [&str; 17] = [
    "oom-kill:constraint=",
    "Memory cgroup out of memory",
    "Memory cgroup stats for /",
    "Memory limit reached of cgroup /",
    "Out of memory",
    "Out of Memory",
    "Killed process ",
    "Kill process ",
    "Task in /",
    "Tasks in /",
    "OOM victim ",
    "oom_reaper: reaped process ",
    "oom_kill_process: ",
    "memory: usage ",
    "memory+swap: usage ",
    "swap: usage ",
    "[  pid  ]",
];

/// The kernel's text in a line without a known frame. `None` where it has none, or stands at the start.
///
/// What stands in front must not say that somebody else is speaking: a program with its pid, a facility that is not the kernel's. Where it cannot be
/// told, the line stays unread.
pub(crate) fn salvage(line: &[u8]) -> Option<Framed<'_>> {
    if let Some(inner) = peeled(line) {
        let framed = frame(inner);
        if !framed.bare {
            return Some(Framed { text: without_end(framed.text, line), ..framed });
        }
    }
    let head = line.get(..line.len().min(REACH_BYTES))?;
    let at = STARTS.iter().filter_map(|start| memmem::find(head, start.as_bytes())).chain(trigger(head)).min().filter(|at| *at > 0)?;
    let before = line.get(..at)?;
    let facility = speaker(before)?;
    let usec = memchr::memchr_iter(b'[', before).filter_map(|at| bracket(line.get(at..)?)?.usec).next_back();
    Some(Framed { usec, facility: Some(facility), text: without_end(line.get(at..)?, before), ..Framed::default() })
}

/// A line that somebody has indented or quoted, as in mail and issue trackers.
pub(crate) fn quoted(line: &[u8]) -> Option<Framed<'_>> {
    let inner = line.trim_ascii_start();
    let inner = inner.strip_prefix(b">").or_else(|| inner.strip_prefix(b"|")).unwrap_or(inner).trim_ascii_start();
    if inner.len() == line.len() {
        return None;
    }
    let framed = frame(inner);
    (!framed.bare).then(|| Framed { text: without_end(framed.text, line), ..framed })
}

/// A line of `kubectl describe node` or `kubectl get events` in which node-problem-detector quotes the kernel.
pub(crate) fn node_event(line: &[u8]) -> Option<Framed<'_>> {
    let head = line.get(..line.len().min(160))?;
    let at = memchr::memmem::find(head, b"OOMKilling ")?;
    let after = line.get(at..)?;
    let start = ["Memory cgroup out of memory", "Out of memory", "Killed process", "Kill process"]
        .iter()
        .filter_map(|start| memchr::memmem::find(after.get(..after.len().min(160)).unwrap_or_default(), start.as_bytes()))
        .min()?;
    Some(Framed { text: after.get(start..)?, ..Framed::default() })
}

/// The line without the marks of a quotation, the name of a file that `grep` writes, or of a pod that `kubectl logs --prefix` does.
fn peeled(line: &[u8]) -> Option<&[u8]> {
    let mut rest = line;
    while let Some(b' ' | b'\t' | b'>' | b'|') = rest.first() {
        rest = rest.get(1..)?;
    }
    if let Some(name) = rest.strip_prefix(b"[pod/") {
        rest = name.get(memmem::find(name, b"] ")? + 2..)?;
    } else if let Some(colon) = memchr::memchr(b':', rest.get(..rest.len().min(200))?)
        && let Some(name) = rest.get(..colon).filter(|name| name.contains(&b'/') && !name.contains(&b' '))
    {
        rest = rest.get(name.len() + 1..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = rest.get(digits..).filter(|_| digits > 0).and_then(|rest| rest.strip_prefix(b":")).unwrap_or(rest);
    }
    (rest.len() < line.len()).then_some(rest)
}

/// Where the name in front of ` invoked oom-killer:` begins.
fn trigger(head: &[u8]) -> Option<usize> {
    let end = memmem::find(head, b" invoked oom-killer:")?;
    let before = head.get(..end)?;
    let start = [&b"] "[..], b"]: ", b": ", b":\t", b"\"", b"'"]
        .iter()
        .filter_map(|mark| memmem::rfind(before, mark).map(|at| at + mark.len()))
        .max()?;
    (end - start <= MAX_COMM_BYTES && end > start).then_some(start)
}

/// The facility that the words in front of a text tell; `None` where they leave it open.
fn speaker(before: &[u8]) -> Option<u16> {
    const FOREIGN: [&[u8]; 11] = [b"user", b"mail", b"daemon", b"auth", b"syslog", b"lpr", b"news", b"uucp", b"cron", b"authpriv", b"ftp"];
    const KNOWN: [&[u8]; 15] = [
        b"kernel",
        b"kern",
        b"emerg",
        b"alert",
        b"crit",
        b"err",
        b"error",
        b"warn",
        b"warning",
        b"notice",
        b"info",
        b"debug",
        b"Message",
        b"generated",
        b"message",
    ];
    // The kernel tells of programs by their paths.
    if memmem::find(before, b"'/").is_some() {
        return None;
    }
    let mut kernel = false;
    for (at, _) in before.iter().enumerate().filter(|(_, byte)| matches!(byte, b'<' | b';')) {
        // `<12>`, in HTML `&lt;12&gt;`
        let digits = before.get(at + 1..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(before.get(at + 1..at + 1 + digits)?).ok().and_then(|number| number.parse::<u32>().ok());
        let closed = matches!(before.get(at + 1 + digits), Some(b'>' | b'&'));
        if let Some(number) = number.filter(|_| closed) {
            if number > 7 {
                return Some(1);
            }
            kernel = true;
        }
    }
    for word in before.split(u8::is_ascii_whitespace) {
        let Some(tag) = word.strip_suffix(b":") else { continue };
        if FOREIGN.contains(&tag) {
            return Some(1);
        }
        // `name[pid]:`
        if let Some(pid) =
            tag.strip_suffix(b"]").and_then(|tag| tag.rsplit(|byte| *byte == b'[').next().filter(|pid| pid.len() + 1 < tag.len()))
            && pid.iter().all(u8::is_ascii_digit)
        {
            return Some(1);
        }
        let is_address = tag.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
        let is_stamp = tag.starts_with(b"[") && tag.ends_with(b"]");
        if !(KNOWN.contains(&tag) || is_address || is_stamp) {
            return None;
        }
    }
    kernel |= before.split(|byte| !byte.is_ascii_alphanumeric()).any(|word| matches!(word, b"kern" | b"kernel"));
    kernel.then_some(0)
}

/// A text without what closes the frame in front of it.
fn without_end<'a>(text: &'a [u8], before: &[u8]) -> &'a [u8] {
    let mut text = text.trim_ascii_end();
    let text_of_event = memmem::find(text, b"}] Conditions:[").and_then(|at| text.get(..at));
    text = text_of_event.unwrap_or(text);
    if before.trim_ascii_start().starts_with(b"|") {
        text = text.strip_suffix(b" |").unwrap_or(text);
    }
    if before.contains(&b'"') || before.contains(&b'{') {
        while let [inner @ .., b'"' | b'}' | b']'] = text {
            text = inner;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const KILLED: &str = "Memory cgroup out of memory: Killed process 1 (x) total-vm:1kB";

    #[track_caller]
    fn is(line: &str, facility: Option<u16>, usec: Option<u64>, text: &str) {
        let framed = salvage(line.as_bytes()).unwrap_or_default();
        assert_eq!((framed.facility, framed.usec, String::from_utf8_lossy(framed.text).as_ref()), (facility, usec, text), "{line}");
    }

    #[test]
    fn frames_that_nobody_has_described() {
        for (line, usec) in [
            ("172.20.0.2: kern: warning: [2024-01-13T17:34:18.4783242Z]: K", None),
            ("kern: warning: [2024-01-13T17:34:18.4783242Z]: K", None),
            ("ip-10-0-131-22.ec2.internal Nov 27 01:26:57.000001 ip-10-0-131-22 kernel: K", None),
            ("host\tkernel:\tK", None),
            ("\"2025-01-01T00:00:00Z\",\"node1\",\"kernel\",\"[    1.500000] K\"", Some(1_500_000)),
            ("ts=2025-01-01T00:00:00Z level=info source=kernel msg=\"K\"", None),
            ("&lt;6&gt;[    1.500000] K", Some(1_500_000)),
            (
                "I0101 12:00:00.000000       1 log_monitor.go:160] New status generated: &{Source:kernel-monitor Events:[{Reason:Oom Message:K}] Conditions:[]}",
                None,
            ),
        ] {
            is(&line.replace('K', KILLED), Some(0), usec, KILLED);
        }
        is("kern: info: [2024]: a b invoked oom-killer: gfp", Some(0), None, "a b invoked oom-killer: gfp");
    }

    #[test]
    fn only_whole_words_name_the_kernel() {
        for line in ["walkern: K", "{\"app\":\"akernel\",\"text\":\"K\"}", "log=kernels msg=\"K\""] {
            let line = line.replace('K', KILLED);
            let framed = salvage(line.as_bytes());
            assert!(framed.is_none_or(|framed| framed.facility != Some(0)), "{line}");
        }
        is(&"app=kern msg=\"K\"".replace('K', KILLED), Some(0), None, KILLED);
    }

    #[test]
    fn only_in_kept_logs() {
        let log = b"10.0.0.2: kern: info: [2024-01-13T17:34:18Z]: Killed process 1 (x)\n2025-11-27 01:26:57.0 +0000 kernel: {\"message\":\"Killed process 2 (x)\"}\n";
        let mut kept = crate::Replay::of_kept(log);
        for text in ["Killed process 1 (x)", "Killed process 2 (x)"] {
            assert_eq!(String::from_utf8_lossy(&kept.next(false).unwrap().text), text);
        }
        assert!(crate::Replay::new(log).next(false).unwrap().text.starts_with(b"10.0.0.2"));
    }

    #[test]
    fn quotations() {
        for line in ["> > [    1.500000] K", ">>[    1.500000] K", "[pod/x/main] [    1.500000] K", "| [    1.500000] K |"] {
            is(&line.replace('K', KILLED), None, Some(1_500_000), KILLED);
        }
        for line in ["/var/log/messages:Nov 27 01:26:57 host kernel: K", "log/a:17:Nov 27 01:26:57 host kernel: K"] {
            is(&line.replace('K', KILLED), Some(0), None, KILLED);
        }
        is(&format!("/var/log/messages:Nov 27 01:26:57 host app: {KILLED}"), Some(1), None, KILLED);
        is(&format!("> > <12>[    1.500000] {KILLED}"), Some(1), Some(1_500_000), KILLED);
    }

    #[test]
    fn somebody_else_is_refused() {
        for line in ["172.20.0.2: user: warning: [2024-01-13T17:34:18Z]: K", "kernel host app[17]: K", "&lt;12&gt;[    1.500000] K"] {
            assert_eq!(salvage(line.replace('K', KILLED).as_bytes()).map(|framed| framed.facility), Some(Some(1)), "{line}");
        }
        for line in ["my app says K", "app: kernel: K", "level=info msg=\"K\"", "process '/tmp/ kern: K' started", "K"] {
            assert_eq!(salvage(line.replace('K', KILLED).as_bytes()), None, "{line}");
        }
        // What a path or a name says is not what the kernel says.
        is(
            "kern: info: [2024]: Memory cgroup stats for /a Killed process 1 (x):",
            Some(0),
            None,
            "Memory cgroup stats for /a Killed process 1 (x):",
        );
    }
}
