//! What an exit code means, given as the program said it or as the status of a container shows it.

mod entry;
mod signal;
mod windows;

pub use signal::Signal;

use entry::Entry;
use podsight_cause::Lang;

/// What an exit code means, in one language.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Meaning {
    /// The code as it was given.
    pub given: String,
    /// What Linux keeps of it and the status shows: 0 to 255.
    pub shown: u8,
    /// The signal of 128 + n.
    pub signal: Option<Signal>,
    /// The short name.
    pub name: String,
    /// What it means, in a few sentences.
    pub summary: String,
    /// What tells its causes apart.
    pub checks: Vec<String>,
    /// The code's name on Windows nodes, where the number is one of theirs.
    pub windows: Option<String>,
}

/// Why a word is no exit code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExitCodeError {
    /// Not an integer at all.
    #[error("`{given}` is not an exit code: give an integer such as 137, -1 or 0xC0000005, or a signal such as SIGKILL")]
    NotAnInteger {
        /// The word, escaped.
        given: String,
    },
    /// An integer that no program can hand over.
    #[error("`{given}` does not fit into 64 bits: no program can end with it (bash refuses it and ends with 2)")]
    TooLarge {
        /// The word, escaped.
        given: String,
    },
}

/// What the kernel keeps of a code: `code mod 256`, for negative codes and multiples of 256 too (`do_exit` keeps `code & 0xff`).
pub const fn shown(code: i64) -> u8 {
    code.to_le_bytes()[0]
}

/// Explains a code given as a decimal or hexadecimal integer or as the name of a signal.
pub fn explain(given: &str, lang: Lang) -> Result<Meaning, ExitCodeError> {
    let code = parse(given)?;
    let kept = shown(code);
    let signal = kept.checked_sub(128).and_then(Signal::from_number);
    let Entry { name, mut summary, mut checks } = match signal {
        Some(signal) => signal.entry(lang),
        None => entry::entry(kept, lang),
    };
    let windows = windows::name(code);
    if let Some(windows) = windows {
        summary = match lang {
            Lang::En => format!("On a Windows node this is {windows}. On Linux: {summary}"),
            Lang::Zh => format!("在 Windows 节点上这是 {windows}。在 Linux 上：{summary}"),
        };
    }
    if i64::from(kept) != code {
        summary = match lang {
            Lang::En => format!("The kernel keeps the low 8 bits: {code} mod 256 = {kept}. {summary}"),
            Lang::Zh => format!("内核只保留低 8 位：{code} mod 256 = {kept}。{summary}"),
        };
        checks.push(match lang {
            Lang::En if code < 0 => format!("The shell matters: C, Go, Python, Rust and bash hand {code} over, but dash (Debian's /bin/sh) refuses negative numbers and ends with 2."),
            Lang::Zh if code < 0 => format!("要看是哪个 shell：C、Go、Python、Rust 和 bash 会交出 {code}，而 dash（Debian 的 /bin/sh）拒绝负数，以 2 结束。"),
            Lang::En => format!("Several codes end as {kept}: look for the one the program's own log or source names."),
            Lang::Zh => format!("有多个退出码都会变成 {kept}：请在程序自己的日志或源码中查找原值。"),
        });
    }
    if code == -1 {
        checks.push(match lang {
            Lang::En => "A literal -1 in a pod's status comes from CRI-O and says that the code is not known.".to_owned(),
            Lang::Zh => "Pod 状态中原样出现的 -1 来自 CRI-O，表示退出码未知。".to_owned(),
        });
    }
    Ok(Meaning { given: given.to_owned(), shown: kept, signal, name, summary, checks, windows: windows.map(str::to_owned) })
}

/// The signal that a code of a container's status stands for: 129 to 192.
pub fn signal(code: i64) -> Option<Signal> {
    u8::try_from(code).ok()?.checked_sub(128).and_then(Signal::from_number)
}

/// The short name of a code of a container's status, for instance `SIGKILL` or `EX_USAGE`.
pub fn name(code: i64, lang: Lang) -> String {
    if let Some(windows) = windows::name(code) {
        return windows.to_owned();
    }
    match (u8::try_from(code), signal(code)) {
        (_, Some(signal)) => signal.name.to_owned(),
        (Ok(code), None) => entry::entry(code, lang).name,
        (Err(_), None) if code == -1 => match lang {
            Lang::En => "not known".to_owned(),
            Lang::Zh => "未知".to_owned(),
        },
        (Err(_), None) => format!("0x{:08X}", code & 0xFFFF_FFFF),
    }
}

fn parse(given: &str) -> Result<i64, ExitCodeError> {
    let word = given.trim();
    if let Some(signal) = Signal::from_name(word) {
        return Ok(128 + i64::from(signal.number));
    }
    let (negative, digits) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hexadecimal) => (16, hexadecimal),
        None => (10, digits),
    };
    let escaped = || given.chars().take(60).flat_map(char::escape_debug).collect();
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(ExitCodeError::NotAnInteger { given: escaped() });
    }
    i128::from_str_radix(digits, radix)
        .ok()
        .map(|size| if negative { -size } else { size })
        .and_then(|code| i64::try_from(code).ok())
        .ok_or_else(|| ExitCodeError::TooLarge { given: escaped() })
}

#[cfg(test)]
mod tests;
