//! `Memory cgroup stats for /a: cache:0KB rss:980KB …` (before 5.3, one line for every cgroup of the tree), and since then the header alone, with
//! `memory.stat` line by line after it (`memory_stat_format`).

use super::scan;

/// The header, with what stands on the same line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatsHeader<'a> {
    /// The cgroup.
    pub path: &'a [u8],
    /// `cache:0KB rss:980KB …` or nothing.
    pub inline: &'a [u8],
}

pub(super) fn read(text: &[u8]) -> Option<StatsHeader<'_>> {
    let rest = text.strip_prefix(b"Memory cgroup stats for ")?;
    let (path, inline) = match rest.strip_suffix(b":") {
        Some(path) => (path, &b""[..]),
        None => {
            memchr::memmem::find(rest, b": cache:").and_then(|end| Some((rest.get(..end)?, rest.get(end + 2..)?))).unwrap_or((rest, b""))
        }
    };
    Some(StatsHeader { path, inline })
}

impl<'a> StatsHeader<'a> {
    /// The values on the header's own line, in bytes.
    pub fn values(&self) -> impl Iterator<Item = (&'a [u8], u64)> + use<'a> {
        self.inline.split(|byte| *byte == b' ').filter_map(|word| {
            let (name, value) = scan::split_once(word, b":")?;
            let (value, unit) = scan::number(value)?;
            (unit == b"KB").then_some((name, value.saturating_mul(1024)))
        })
    }
}

/// A line of `memory.stat`: `anon 33394688`. Sizes are bytes; events are plain numbers.
pub fn stat(text: &[u8]) -> Option<(&[u8], u64)> {
    let (name, value) = scan::split_once(text, b" ")?;
    let right = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_');
    let (value, rest) = scan::number(value)?;
    (right && rest.trim_ascii().is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_one_line() {
        let header = read(b"Memory cgroup stats for /mem2: cache:0KB rss:980KB rss_huge:0KB mapped_file:0KB").unwrap();
        assert_eq!(header.path, b"/mem2");
        assert_eq!(header.values().collect::<Vec<_>>(), [(&b"cache"[..], 0), (b"rss", 980 * 1024), (b"rss_huge", 0), (b"mapped_file", 0)]);
    }

    #[test]
    fn on_many_lines() {
        assert_eq!(read(b"Memory cgroup stats for /a:b:"), Some(StatsHeader { path: b"/a:b", inline: b"" }));
        assert_eq!(stat(b"anon 33394688"), Some((&b"anon"[..], 33_394_688)));
        assert_eq!(stat(b"workingset_refault_file 123846124"), Some((&b"workingset_refault_file"[..], 123_846_124)));
        assert_eq!(stat(b"anon x"), None);
        assert_eq!(stat(b"Node 0 DMA"), None);
    }
}
