//! The heap option of Node.js.

use super::{Size, line};
use podsight_spec::{Container, EnvValue, shell};

/// `--max-old-space-size` in MiB: from `NODE_OPTIONS`, or stronger from the command line.
pub(crate) fn old_space(container: &Container<'_>) -> Option<Size> {
    let mut found = None;
    if let EnvValue::Literal(value, number) = container.env("NODE_OPTIONS") {
        let words = shell::words(value).unwrap_or_default();
        read(words.iter().map(|word| (word.as_str(), true)), &container.at(&format!("/env/{number}/value")), &mut found);
    }
    for program in line::programs(container) {
        let Some(option) = program.iter().find(|word| option_value(&word.text).is_some()) else { continue };
        read(program.iter().map(|word| (&*word.text, word.literal)), &option.pointer(), &mut found);
    }
    found
}

fn read<'a>(words: impl Iterator<Item = (&'a str, bool)>, pointer: &str, found: &mut Option<Size>) {
    let mut words = words.peekable();
    while let Some((word, literal)) = words.next() {
        let Some(value) = option_value(word) else { continue };
        let (value, literal) = match value {
            "" => words.peek().copied().unwrap_or_default(),
            value => (value, literal),
        };
        let bytes = if literal { value.parse::<i64>().ok().and_then(|mebibytes| mebibytes.checked_mul(1 << 20)) } else { None };
        *found = bytes.filter(|bytes| *bytes > 0).map(|bytes| Size {
            bytes,
            written: format!("--max-old-space-size={value}"),
            pointer: pointer.to_owned(),
        });
    }
}

/// The value behind the option, empty where it is the next word. V8 takes dashes and underscores alike.
fn option_value(word: &str) -> Option<&str> {
    let rest = word.strip_prefix("--max-old-space-size").or_else(|| word.strip_prefix("--max_old_space_size"))?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('=') }
}
