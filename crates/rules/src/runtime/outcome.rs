//! What a command line comes to, where that can be told without running it.

use super::line::{base_name, is_shell, script_index};
use podsight_spec::shell::{self, Command, Join};

/// What a command line comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ends with this code, at the latest after so many seconds.
    Ends {
        /// The exit code, where it can be told.
        code: Option<u8>,
        /// The seconds that it sleeps.
        after: u64,
    },
    /// There is no such program: the line is shell syntax, not a program.
    NoProgram,
    /// `sh -c` without a script: the shell ends with code 2.
    NoScript,
    /// The script cannot be parsed: the shell ends with code 2.
    Broken,
    /// It cannot be told.
    Unknown,
}

/// Programs that end by themselves at once, and whether they succeed whatever their arguments.
const SHORT: [(&str, bool); 27] = [
    ("echo", true),
    ("printf", false),
    ("true", true),
    (":", true),
    ("date", false),
    ("env", false),
    ("printenv", false),
    ("ls", false),
    ("pwd", true),
    ("id", false),
    ("whoami", false),
    ("uname", false),
    ("hostname", false),
    ("mkdir", false),
    ("touch", false),
    ("chmod", false),
    ("chown", false),
    ("cp", false),
    ("mv", false),
    ("rm", false),
    ("ln", false),
    ("cd", false),
    ("export", false),
    ("set", false),
    ("unset", false),
    ("umask", false),
    ("ulimit", false),
];

/// Words that only a shell understands and that no image has as a program. (Those that POSIX wants as programs too, such as `cd` and `ulimit`, are left
/// out: Red Hat's images have them.)
const BUILTINS: [&str; 14] =
    ["exit", "export", "source", "set", "exec", "eval", "trap", "shift", "return", "local", "declare", "unset", ".", ":"];

/// What a line of words (no shell around it) comes to.
pub(crate) fn of(line: &[&str]) -> Outcome {
    let Some(program) = line.first() else { return Outcome::Unknown };
    if why_no_program(program).is_some() {
        return Outcome::NoProgram;
    }
    match script_index(line) {
        Some(index) => match line.get(index) {
            None => Outcome::NoScript,
            Some(script) => of_script(script),
        },
        None if line.iter().any(|word| word.contains("$(")) => Outcome::Unknown,
        None if is_shell(program) => Outcome::Unknown,
        None => {
            let words: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
            of_command(&words)
        }
    }
}

/// Why the first word of a line cannot be a program; `None` if it can.
pub(crate) fn why_no_program(program: &str) -> Option<NoProgram> {
    // `$(NAME)` is filled in by the kubelet.
    if program.contains("$(") {
        return None;
    }
    if program.trim().is_empty() {
        return Some(NoProgram::Empty);
    }
    // A path of Windows may have blanks.
    if program.starts_with(|drive: char| drive.is_ascii_alphabetic()) && program.get(1..).is_some_and(|rest| rest.starts_with(":\\")) {
        return None;
    }
    if BUILTINS.contains(&program) {
        return Some(NoProgram::Builtin);
    }
    if program.starts_with('$') || program.starts_with("~/") || program.contains("${") {
        return Some(NoProgram::Expansion);
    }
    if program.contains("&&") || program.contains("||") || program.contains([';', '|', '>', '<', '`']) {
        return Some(NoProgram::Syntax);
    }
    if program.contains(char::is_whitespace) {
        return Some(NoProgram::Blanks);
    }
    None
}

/// Why a word cannot be a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoProgram {
    /// It is empty.
    Empty,
    /// It has blanks: a whole command line in one word.
    Blanks,
    /// It has operators of the shell.
    Syntax,
    /// It begins with something that only a shell fills in.
    Expansion,
    /// It is a word of the shell's own.
    Builtin,
}

/// What a shell script comes to: only scripts without conditions and loops are judged.
pub(crate) fn of_script(script: &str) -> Outcome {
    let script = shell::parse(script);
    if script.broken.is_some() {
        return Outcome::Broken;
    }
    if script.partial {
        return Outcome::Unknown;
    }
    let mut after: u64 = 0;
    let mut code = Some(0);
    for command in &script.commands {
        if command.depth > 0 || command.join != Some(Join::Then) {
            return Outcome::Unknown;
        }
        let Some(words) = literal(command) else { return Outcome::Unknown };
        if words.is_empty() {
            code = Some(0);
            continue;
        }
        if words.first().is_some_and(|name| name == "exit") {
            let given = match words.get(1) {
                None => code,
                Some(number) => number.parse::<u8>().ok(),
            };
            return Outcome::Ends { code: given, after };
        }
        let words = if words.first().is_some_and(|name| name == "exec") { words.get(1..).unwrap_or_default().to_vec() } else { words };
        match of_command(&words) {
            Outcome::Ends { code: ended, after: slept } => {
                code = ended;
                after = after.saturating_add(slept);
            }
            // `set -e` and a failing command in the middle end it earlier: it ends all the same.
            _ => return Outcome::Unknown,
        }
    }
    Outcome::Ends { code, after }
}

/// The words of a command, where the first is literal; arguments of harmless programs may depend on the run.
fn literal(command: &Command) -> Option<Vec<String>> {
    let name = match command.words.first() {
        None => return Some(Vec::new()),
        Some(_) => command.name()?,
    };
    let exact = matches!(name, "exit" | "sleep" | "exec");
    command.words.iter().map(|word| if word.literal || !exact { Some(word.text.clone()) } else { None }).collect()
}

fn of_command(words: &[String]) -> Outcome {
    let Some(name) = words.first() else { return Outcome::Unknown };
    match base_name(name) {
        "false" => Outcome::Ends { code: Some(1), after: 0 },
        "sleep" => match seconds(words.get(1..).unwrap_or_default()) {
            Some(after) => Outcome::Ends { code: Some(0), after },
            None => Outcome::Unknown,
        },
        // `env PROGRAM` and `env A=b PROGRAM` run a program.
        "env" if words.len() > 1 => Outcome::Unknown,
        name => match SHORT.iter().find(|(short, _)| *short == name) {
            Some((_, succeeds)) => Outcome::Ends { code: succeeds.then_some(0), after: 0 },
            None => Outcome::Unknown,
        },
    }
}

/// The whole seconds that `sleep` takes: numbers with s, m, h or d behind, added up; `infinity` and what is unknown is `None`.
pub(crate) fn seconds<T: AsRef<str>>(words: &[T]) -> Option<u64> {
    if words.is_empty() {
        return None;
    }
    let mut sum: f64 = 0.0;
    for word in words {
        let word = word.as_ref();
        let (number, unit) = match word.char_indices().last() {
            Some((at, 's')) => (word.get(..at)?, 1.0),
            Some((at, 'm')) => (word.get(..at)?, 60.0),
            Some((at, 'h')) => (word.get(..at)?, 3_600.0),
            Some((at, 'd')) => (word.get(..at)?, 86_400.0),
            _ => (word, 1.0),
        };
        if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return None;
        }
        sum += number.parse::<f64>().ok()? * unit;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of digits alone is not negative, and too large ones saturate"
    )]
    Some(sum as u64)
}

/// The seconds that a line sleeps at least, if it runs to its end: `sleep` in it or in its script, where no condition stands before it.
pub(crate) fn sleeps(line: &[&str]) -> Option<u64> {
    let program = line.first()?;
    if base_name(program) == "sleep" {
        return seconds(line.get(1..).unwrap_or_default());
    }
    let script = line.get(script_index(line)?)?;
    let script = shell::parse(script);
    let mut sum: u64 = 0;
    let mut found = false;
    // What stands behind `||` or within a condition may not run; what runs in the background is not waited for.
    let mut conditional = false;
    for command in &script.commands {
        let skipped = conditional || command.depth > 0 || command.join == Some(Join::Background);
        conditional = command.join == Some(Join::Or);
        if skipped || command.name().map(base_name) != Some("sleep") || !command.words.iter().all(|word| word.literal) {
            continue;
        }
        let words: Vec<&str> = command.words.iter().skip(1).map(|word| word.text.as_str()).collect();
        sum = sum.saturating_add(seconds(&words)?);
        found = true;
    }
    found.then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_a_line_comes_to() {
        let ends = |code, after| Outcome::Ends { code, after };
        for (line, want) in [
            (&["sh", "-c", "exit 1"][..], ends(Some(1), 0)),
            (&["/bin/bash", "-c", "echo hi; sleep 5; exit 3"], ends(Some(3), 5)),
            (&["sh", "-c", "echo $HOME"], ends(Some(0), 0)),
            (&["false"], ends(Some(1), 0)),
            (&["sleep", "1m"], ends(Some(0), 60)),
            (&["sleep", "infinity"], Outcome::Unknown),
            (&["sh", "-c", "test -f /a && exit 1"], Outcome::Unknown),
            (&["sh", "-c", "while true; do echo; done"], Outcome::Unknown),
            (&["sh", "-c", "echo a; nginx -g 'daemon off;'"], Outcome::Unknown),
            (&["sh", "-c", "exit $CODE"], Outcome::Unknown),
            (&["sh", "-c", "echo a &"], Outcome::Unknown),
            (&["sh", "-c"], Outcome::NoScript),
            (&["java -jar a"], Outcome::NoProgram),
            (&["exit", "1"], Outcome::NoProgram),
            (&["$JAVA_HOME/bin/java"], Outcome::NoProgram),
            (&["$(JAVA)"], Outcome::Unknown),
            (&["C:\\Program Files\\app\\app.exe"], Outcome::Unknown),
            (&["nginx"], Outcome::Unknown),
            (&["env", "A=b", "nginx"], Outcome::Unknown),
            (&[], Outcome::Unknown),
        ] {
            assert_eq!(of(line), want, "{line:?}");
        }
    }

    #[test]
    fn adds_up_what_sleeps() {
        assert_eq!(sleeps(&["sleep", "60"]), Some(60));
        assert_eq!(sleeps(&["sh", "-c", "nginx -s quit; sleep 20 && sleep 5; sleep 1.5m; a || sleep 9"]), Some(115));
        assert_eq!(sleeps(&["sh", "-c", "if x; then sleep 60; fi"]), None);
        assert_eq!(sleeps(&["sh", "-c", "sleep $N"]), None);
        assert_eq!(sleeps(&["nginx", "-s", "quit"]), None);
    }
}
