//! The words that a container's programs are started with, shell scripts opened.

use podsight_spec::{Container, shell};
use std::borrow::Cow;

/// One word of a command line.
#[derive(Clone, Debug)]
pub(crate) struct Word<'c> {
    /// The text.
    pub(crate) text: Cow<'c, str>,
    /// Whether it is what the program gets: nothing in it is filled in at the start.
    pub(crate) literal: bool,
    container: &'c Container<'c>,
    /// The number of the word of the container's line that it stands in.
    number: usize,
}

impl Word<'_> {
    /// JSON pointer of the text that it stands in. Few words are ever asked for it.
    pub(crate) fn pointer(&self) -> String {
        self.container.line_pointer(self.number)
    }
}

/// One program and its words; the first is its name.
pub(crate) type Program<'c> = Vec<Word<'c>>;

/// The shells that take a script after `-c`.
const SHELLS: [&str; 7] = ["sh", "bash", "ash", "dash", "zsh", "ksh", "busybox"];

/// The last part of a program's path.
pub(crate) fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Whether a program is a shell.
pub(crate) fn is_shell(program: &str) -> bool {
    SHELLS.contains(&base_name(program)) && base_name(program) != "busybox"
}

/// Where the script of `sh -c script` stands in the line: the number of the word, or the length of the line where the script is missing.
/// `None` if the line is no shell with `-c`.
pub(crate) fn script_index(line: &[&str]) -> Option<usize> {
    let mut words = line.iter().enumerate();
    let (_, program) = words.find(|(_, word)| !matches!(**word, "/bin/busybox" | "busybox" | "exec"))?;
    if !is_shell(program) {
        return None;
    }
    let mut commands = false;
    for (number, word) in words {
        // Options of shells are letters behind a dash or a plus; `-o` and `-O` take a name.
        let letters = word.strip_prefix('-').or_else(|| word.strip_prefix('+')).filter(|letters| !letters.is_empty());
        match letters {
            Some(letters) if letters != "-" && !letters.starts_with('-') => commands |= word.starts_with('-') && letters.contains('c'),
            Some(_) => {}
            None => {
                let option_name = line.get(number.wrapping_sub(1)).is_some_and(|before| {
                    matches!(*before, "-o" | "+o" | "-O" | "+O")
                        || (before.starts_with('-') && !before.starts_with("--") && before.ends_with('o'))
                });
                if !option_name {
                    return commands.then_some(number);
                }
            }
        }
    }
    commands.then_some(line.len())
}

/// All programs that the container's command and args start, as far as they can be read; scripts of `sh -c` are opened.
pub(crate) fn programs<'c>(container: &'c Container<'c>) -> Vec<Program<'c>> {
    let line = container.line();
    if line.is_empty() {
        return Vec::new();
    }
    if let Some(index) = script_index(&line)
        && let Some(script) = line.get(index)
    {
        return shell::parse(script)
            .commands
            .into_iter()
            .map(|command| {
                let mut words = command.words;
                if words.first().is_some_and(|word| word.text == "exec") {
                    words.remove(0);
                }
                let word = |word: shell::Word| Word { text: Cow::Owned(word.text), literal: word.literal, container, number: index };
                words.into_iter().map(word).collect()
            })
            .filter(|words: &Program<'_>| !words.is_empty())
            .collect();
    }
    let words =
        line.iter().enumerate().map(|(number, word)| Word { text: Cow::Borrowed(*word), literal: !word.contains("$("), container, number });
    vec![words.collect()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_script_of_a_shell() {
        for (line, want) in [
            (&["sh", "-c", "x"][..], Some(2)),
            (&["/bin/bash", "-euxo", "pipefail", "-c", "x"], Some(4)),
            (&["/bin/bash", "-ec", "x", "y"], Some(2)),
            (&["sh", "-c"], Some(2)),
            (&["sh", "-c", "--", "x"], Some(3)),
            (&["sh", "script.sh", "-c"], None),
            (&["sh"], None),
            (&["bash", "-o", "pipefail", "-c", "x"], Some(4)),
            (&["busybox", "sh", "-c", "x"], Some(3)),
            (&["python", "-c", "x"], None),
            (&[], None),
        ] {
            assert_eq!(script_index(line), want, "{line:?}");
        }
    }
}
