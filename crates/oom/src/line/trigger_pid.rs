//! `CPU: 1 UID: 0 PID: 12275 Comm: hog Not tainted …` (`dump_stack_print_info`): the pid of the task that ran into the limit.

use super::scan;

pub(super) fn read(text: &[u8]) -> Option<u32> {
    let rest = match text.strip_prefix(b"CPU: ") {
        Some(rest) => scan::split_once(rest, b"PID: ")?.1,
        // Before 3.11: `Pid: 1234, comm: java Not tainted 2.6.32`.
        None => text.strip_prefix(b"Pid: ")?,
    };
    let (pid, rest) = scan::id(rest)?;
    (rest.starts_with(b" Comm: ") || rest.starts_with(b", comm: ")).then_some(pid)
}

#[cfg(test)]
mod tests {
    #[test]
    fn forms() {
        for text in [
            "CPU: 5 PID: 42 Comm: memorymonster Tainted: P           OX 3.13.0-43-generic #72-Ubuntu",
            "CPU: 1 UID: 0 PID: 42 Comm: hog Not tainted 6.18.44 #1 PREEMPT(none) ",
            "CPU: 1 UID: 0 PID: 42 Comm: PID: 7 Not tainted 6.18.44",
            "Pid: 42, comm: java Not tainted 2.6.32-504.el6.x86_64 #1",
        ] {
            assert_eq!(super::read(text.as_bytes()), Some(42), "{text}");
        }
        assert_eq!(super::read(b"CPU: 1 is down"), None);
    }
}
