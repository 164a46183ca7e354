//! Standard output and standard error, with a reader that may go away.

use crate::args::Voice;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

/// Wrong usage, or input of which nothing could be read.
pub(crate) const FAILED: u8 = 2;

/// Writes a result to standard output and gives `code`. Styles in the text are dropped where the terminal or `--color` does not want them.
/// A reader that has gone away (`podsight … | head`) is no error.
pub(crate) fn print(voice: &Voice, text: &str, code: ExitCode) -> ExitCode {
    let mut out = anstream::AutoStream::new(std::io::stdout().lock(), voice.color());
    finish(out.write_all(text.as_bytes()).and_then(|()| out.flush()), code)
}

/// Writes a result as it is, byte for byte: JSON and the like.
pub(crate) fn print_raw(text: &str, code: ExitCode) -> ExitCode {
    let mut out = std::io::stdout().lock();
    finish(out.write_all(text.as_bytes()).and_then(|()| out.flush()), code)
}

/// Writes an error and all its sources to standard error and gives exit status 2.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    note(&format!("error: {error:#}"));
    ExitCode::from(FAILED)
}

/// Writes a line to standard error. Control characters that come from files and names are escaped.
pub(crate) fn note(line: &str) {
    let line: String = line.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect();
    // Nobody is left to tell when standard error is gone.
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// Writes a line for those who look for a fault of podsight: with `PODSIGHT_LOG=debug` only.
pub(crate) fn debug(line: &str) {
    if std::env::var("PODSIGHT_LOG").is_ok_and(|level| matches!(level.as_str(), "debug" | "trace")) {
        note(&format!("debug: {line}"));
    }
}

fn finish(written: std::io::Result<()>, code: ExitCode) -> ExitCode {
    match written {
        Ok(()) => code,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => code,
        Err(error) => fail(&anyhow::Error::new(error).context("cannot write to standard output")),
    }
}
