//! `oom_kill_process: 240 callbacks suppressed` (`___ratelimit`): so many reports were left out in the window that has ended. The kills were not.

use super::scan;

pub(super) fn read(text: &[u8]) -> Option<u64> {
    // The name of the function that has the limit; older kernels may have inlined one into the other.
    let rest = [&b"oom_kill_process: "[..], b"dump_header: "].iter().find_map(|name| text.strip_prefix(*name))?;
    let (count, rest) = scan::number(rest)?;
    (rest == b" callbacks suppressed").then_some(count)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn forms() {
        assert_eq!(read(b"oom_kill_process: 240 callbacks suppressed"), Some(240));
        assert_eq!(read(b"dump_header: 3 callbacks suppressed"), Some(3));
        assert_eq!(read(b"net_ratelimit: 5 callbacks suppressed"), None);
        assert_eq!(read(b"oom_kill_process: 240 callbacks suppressed more"), None);
    }
}
