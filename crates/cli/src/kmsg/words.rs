//! Names and sizes for people.

use podsight_cause::Lang;
use podsight_cgroup::CgroupPath;
use podsight_oom::Kill;

/// One of two texts.
pub(super) fn say<'a>(lang: Lang, english: &'a str, chinese: &'a str) -> &'a str {
    match lang {
        Lang::En => english,
        Lang::Zh => chinese,
    }
}

/// A name or path that others have chosen: letters, digits and ASCII signs as they are, all else as `\xNN`, so that no terminal takes it for a command
/// and no character hides.
pub(super) fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            let plain = char == ' ' || char.is_ascii_graphic() && char != '\\' || !char.is_ascii() && char.is_alphanumeric();
            if plain {
                text.push(char);
            } else {
                let mut buffer = [0; 4];
                text += &podsight_kmsg::escape(char.encode_utf8(&mut buffer).as_bytes());
            }
        }
        text += &podsight_kmsg::escape(chunk.invalid());
    }
    text
}

/// `work (pid 98)`
pub(super) fn process(comm: Option<&[u8]>, pid: Option<u32>, lang: Lang) -> String {
    let name = comm.map_or_else(|| say(lang, "a process", "某个进程").to_owned(), shown);
    match pid {
        Some(pid) => format!("{name} (pid {pid})"),
        None => name,
    }
}

/// KiB as a size with a unit, one decimal.
pub(super) fn size_kb(kb: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut divisor = 1_u64;
    let mut unit = 0;
    while unit + 1 < units.len() && kb / divisor >= 1024 {
        divisor *= 1024;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    // Tenths, rounded half up, without floating point: 32768 KiB is 32 MiB and not 31.9 or 32.0.
    let tenths = kb.saturating_mul(10).saturating_add(divisor / 2) / divisor;
    if tenths.is_multiple_of(10) { format!("{} {name}", tenths / 10) } else { format!("{}.{} {name}", tenths / 10, tenths % 10) }
}

/// When, as the log tells it.
pub(super) fn time(kill: &Kill, lang: Lang) -> String {
    match (&kill.time, kill.usec) {
        (Some(time), _) => shown(time.as_bytes()),
        (None, Some(usec)) => {
            let seconds = format!("{}.{:03}", usec / 1_000_000, usec / 1000 % 1000);
            match lang {
                Lang::En => format!("{seconds} s after boot"),
                Lang::Zh => format!("启动后 {seconds} 秒"),
            }
        }
        (None, None) => say(lang, "at an unknown time", "时间不详").to_owned(),
    }
}

/// Where a victim was: `container 78302202f130 of pod 3f1c2a44-…`
pub(super) fn place(path: Option<&[u8]>, victim: &CgroupPath, lang: Lang) -> String {
    let container = victim.named_container().0.and_then(|id| id.get(..12));
    let pod = victim.pod_uids.first();
    match (lang, container, pod, path) {
        (Lang::En, Some(container), Some(pod), _) => format!("container {container} of pod {pod}"),
        (Lang::Zh, Some(container), Some(pod), _) => format!("Pod {pod} 的容器 {container}"),
        (Lang::En, None, Some(pod), _) => format!("pod {pod}"),
        (Lang::Zh, None, Some(pod), _) => format!("Pod {pod}"),
        (Lang::En, Some(container), None, _) => format!("container {container}, which belongs to no pod"),
        (Lang::Zh, Some(container), None, _) => format!("不属于任何 Pod 的容器 {container}"),
        (Lang::En, None, None, Some(b"/")) => "the root cgroup".to_owned(),
        (Lang::Zh, None, None, Some(b"/")) => "根 cgroup".to_owned(),
        (_, None, None, Some(path)) => format!("cgroup {}", shown(path)),
        (Lang::En, None, None, None) => "an unknown cgroup".to_owned(),
        (Lang::Zh, None, None, None) => "未知的 cgroup".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (kb, text) in [
            (0, "0 KiB"),
            (4, "4 KiB"),
            (1023, "1023 KiB"),
            (32768, "32 MiB"),
            (32448, "31.7 MiB"),
            (25_022_796, "23.9 GiB"),
            (1 << 42, "4096 TiB"),
        ] {
            assert_eq!(size_kb(kb), text);
        }
    }

    #[test]
    fn names_cannot_speak_to_the_terminal() {
        assert_eq!(shown("a\nbé \\z\u{1b}[31m\u{202e}世".as_bytes()), "a\\x0abé \\x5cz\\x1b[31m\\xe2\\x80\\xae世");
        assert_eq!(shown(b"\xff\xfe"), "\\xff\\xfe");
    }
}
