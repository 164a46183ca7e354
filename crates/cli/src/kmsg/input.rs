//! Where logs come from.

use anyhow::{Context as _, Result, bail};
use podsight_kmsg::{DevKmsg, Syslog};
use std::io::Read as _;
use std::path::Path;

/// A log that somebody has kept; `-` is standard input.
pub(super) fn file(path: &Path) -> Result<Vec<u8>> {
    let log = if path.as_os_str() == "-" {
        let mut log = Vec::new();
        std::io::stdin().read_to_end(&mut log).context("cannot read standard input")?;
        log
    } else {
        std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?
    };
    for (magic, name, tool) in [
        (&b"\x1f\x8b"[..], "gzip", "zcat"),
        (b"\x28\xb5\x2f\xfd", "zstd", "zstdcat"),
        (b"\xfd7zXZ", "xz", "xzcat"),
        (b"BZh", "bzip2", "bzcat"),
    ] {
        if log.starts_with(magic) {
            bail!("`{0}` is compressed by {name}: run {tool} {0} | podsight kmsg -", path.display());
        }
    }
    if log.starts_with(b"LPKSHHRH") {
        bail!("`{0}` is a file of the journal itself: run journalctl -k --file {0} -o json | podsight kmsg -", path.display());
    }
    Ok(as_utf_8(log))
}

/// Takes the mark of an editor off, and makes UTF-8 of what Windows' shells write.
fn as_utf_8(log: Vec<u8>) -> Vec<u8> {
    let unit: fn([u8; 2]) -> u16 = match log.as_slice() {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        [0xef, 0xbb, 0xbf, text @ ..] => return text.to_vec(),
        _ => return log,
    };
    let units = log.chunks_exact(2).skip(1).filter_map(|pair| pair.first_chunk().copied()).map(unit);
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into_bytes()
}

/// The log of the kernel that runs here, as raw records, or as lines of syslog(2) where there is no device.
pub(super) fn running_kernel() -> Result<Vec<u8>> {
    let device = match DevKmsg::open(Path::new("/dev/kmsg")) {
        Ok(mut device) => return raw_records(&mut device),
        Err(error) => error,
    };
    match Syslog::open().and_then(|mut log| log.read().map(|new| new.lines.to_vec())) {
        Ok(lines) => Ok(lines),
        Err(error) => Err(anyhow::Error::new(error)
            .context(format!("cannot read the running kernel's log (nor /dev/kmsg: {:#}); run as root or with CAP_SYSLOG, or give a log: dmesg | podsight kmsg -", anyhow::Error::new(device)))),
    }
}

fn raw_records(device: &mut DevKmsg) -> Result<Vec<u8>> {
    let mut log = Vec::new();
    while let Some(record) = device.read()? {
        let prio = record.facility.unwrap_or_default() << 3 | u16::from(record.level.unwrap_or_default());
        let (seq, usec) = (record.seq.unwrap_or_default(), record.usec.unwrap_or_default());
        log.extend_from_slice(format!("{prio},{seq},{usec},-;{}\n", podsight_kmsg::escape(&record.text)).as_bytes());
    }
    Ok(log)
}

/// When the machine was booted, in seconds of the epoch.
pub(super) fn boot_time() -> Option<i64> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::as_utf_8;

    #[test]
    fn marks_of_editors() {
        assert_eq!(as_utf_8(b"\xff\xfea\0\xe4\0\n\0".to_vec()), "a\u{e4}\n".as_bytes());
        assert_eq!(as_utf_8(b"\xfe\xff\0a".to_vec()), b"a");
        assert_eq!(as_utf_8(b"\xef\xbb\xbfa".to_vec()), b"a");
        assert_eq!(as_utf_8(b"\xffa".to_vec()), b"\xffa");
    }
}
