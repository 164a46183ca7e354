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
            Some(script) => of_script(line.get(..index).unwrap_or_default(), script),
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

/// Where a script stands, as far as it can be told without running it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "a shell's options are switches, each by itself")]
struct Run {
    /// The exit code of the last command that ran, where it can be told.
    code: Option<u8>,
    /// The seconds that it has slept at the most.
    after: u64,
    /// Whether it may have ended already, with a code that is not known here.
    may_have_ended: bool,
    /// `set -e`: it ends at the first failure.
    errexit: bool,
    /// `set -u`: it ends at a variable that is not set.
    nounset: bool,
    /// Whether the shell surely has the option `pipefail`; others end with code 2 when they are asked for it.
    has_pipefail: bool,
}

impl Run {
    /// It ends here with the code, unless it ended before with another.
    fn end(&self, code: Option<u8>) -> Outcome {
        Outcome::Ends { code: code.filter(|_| !self.may_have_ended), after: self.after }
    }

    /// Reads the options of a shell or of `set`; false where there are some that are not known.
    fn set<T: AsRef<str>>(&mut self, words: &[T]) -> bool {
        let mut words = words.iter().map(AsRef::as_ref);
        while let Some(word) = words.next() {
            let on = word.starts_with('-');
            let Some(letters) = word.strip_prefix(['-', '+']).filter(|letters| !letters.is_empty() && !letters.starts_with('-')) else {
                // Arguments follow.
                return true;
            };
            for letter in letters.chars() {
                match letter {
                    'e' => self.errexit = on,
                    'u' => self.nounset = on,
                    'c' | 'l' | 'x' | 'v' | 'f' | 'a' | 'h' | 'b' => {}
                    'o' => match words.next() {
                        Some("errexit") => self.errexit = on,
                        Some("nounset") => self.nounset = on,
                        Some("xtrace" | "verbose" | "noglob" | "allexport") => {}
                        Some("pipefail") => self.may_have_ended |= !self.has_pipefail,
                        _ => return false,
                    },
                    _ => return false,
                }
            }
        }
        true
    }
}

/// What a shell's script comes to: only scripts without conditional commands (`if`, `case`), loops and pipes are judged. `&&` and `||` bind alike and from the left:
/// each looks at the exit code of what ran last.
fn of_script(shell: &[&str], script: &str) -> Outcome {
    let script = shell::parse(script);
    if script.broken.is_some() {
        return Outcome::Broken;
    }
    let has_pipefail = shell.iter().any(|word| matches!(base_name(word), "bash" | "zsh" | "ksh"));
    let mut run = Run { code: Some(0), has_pipefail, ..Run::default() };
    let options = shell.iter().position(|word| word.starts_with(['-', '+'])).unwrap_or(shell.len());
    if script.partial || !run.set(shell.get(options..).unwrap_or_default()) {
        return Outcome::Unknown;
    }
    let mut before = Join::Then;
    for command in &script.commands {
        let Some(join @ (Join::Then | Join::And | Join::Or)) = command.join else { return Outcome::Unknown };
        if command.depth > 0 {
            return Outcome::Unknown;
        }
        // Where the code before is not known, the command may run or not.
        let runs = match (std::mem::replace(&mut before, join), run.code) {
            (Join::And, Some(code)) => Some(code == 0),
            (Join::Or, Some(code)) => Some(code != 0),
            (Join::And | Join::Or, None) => None,
            _ => Some(true),
        };
        if runs == Some(false) {
            continue;
        }
        if let Some(outcome) = step(&mut run, command, runs.is_none()) {
            return outcome;
        }
    }
    run.end(run.code)
}

/// One command runs, or `maybe` does. Gives what the script comes to where that is decided here.
fn step(run: &mut Run, command: &Command, maybe: bool) -> Option<Outcome> {
    let Some(words) = literal(command) else { return Some(Outcome::Unknown) };
    let name = words.first().map_or("", String::as_str);
    let arguments = words.get(1..).unwrap_or_default();
    let values = command.assignments.iter().map(|(_, value)| value);
    run.may_have_ended |= run.nounset && values.chain(&command.words).any(|word| !word.literal);
    // A shell ends where the redirection of a special built-in fails.
    run.may_have_ended |= command.redirected && matches!(name, ":" | "exec" | "exit" | "export" | "set" | "unset");
    // These end the script, whatever follows.
    let last = match name {
        "exit" => Some(Outcome::Ends { code: arguments.first().map_or(run.code, |number| number.parse::<u8>().ok()), after: 0 }),
        "exec" if !arguments.is_empty() => Some(of_command(arguments)),
        _ => None,
    };
    if let Some(last) = last {
        let Outcome::Ends { code, after } = last else { return Some(Outcome::Unknown) };
        run.after = run.after.saturating_add(after);
        if maybe {
            run.may_have_ended = true;
            run.code = None;
            return None;
        }
        return Some(run.end(code));
    }
    let code = match name {
        "set" if maybe || !run.set(arguments) => return Some(Outcome::Unknown),
        "" | "exec" | "set" => Some(0),
        _ => match of_command(&words) {
            Outcome::Ends { code, after } => {
                run.after = run.after.saturating_add(after);
                code
            }
            _ => return Some(Outcome::Unknown),
        },
    };
    let code = code.filter(|_| !command.redirected && !maybe);
    run.code = if command.negated { code.map(|code| u8::from(code == 0)) } else { code };
    // A failure within `&&` and `||`, or behind `!`, ends nothing.
    if run.errexit && command.join == Some(Join::Then) && !command.negated {
        match run.code {
            Some(0) => {}
            Some(code) => return Some(run.end(Some(code))),
            None => run.may_have_ended = true,
        }
    }
    None
}

/// Whether a part of the word is what another program prints, which may take its time. Those of a word each that are known to end are not meant.
fn runs_another(word: &shell::Word) -> bool {
    let mut rest = word.text.as_str();
    while let Some(at) = rest.find("$(") {
        rest = rest.get(at + 2..).unwrap_or_default();
        let inner = rest.split(')').next().unwrap_or_default();
        let words: Vec<&str> = inner.split_ascii_whitespace().collect();
        let ends = words.first().is_some_and(|name| matches!(*name, "date" | "hostname" | "id" | "pwd" | "uname" | "whoami"));
        if !(ends || inner.starts_with('(')) || inner.contains(['|', '&', ';', '`']) {
            return true;
        }
    }
    word.text.contains('`')
}

/// The words of a command, where the first is literal; arguments of harmless programs may depend on the run.
fn literal(command: &Command) -> Option<Vec<String>> {
    let name = match command.words.first() {
        None => "",
        Some(_) => command.name()?,
    };
    let exact = matches!(name, "exit" | "sleep" | "exec" | "set");
    let known = |word: &shell::Word| word.literal || !(exact || runs_another(word));
    let assignments = command.assignments.iter().map(|(_, value)| value);
    if assignments.chain(&command.words).any(|word| !known(word)) {
        return None;
    }
    Some(command.words.iter().map(|word| word.text.clone()).collect())
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
            (&["sh", "-c", "true && exit 0"], ends(Some(0), 0)),
            (&["sh", "-c", "true && exit 3; nginx"], ends(Some(3), 0)),
            (&["sh", "-c", "false && nginx"], ends(Some(1), 0)),
            (&["sh", "-c", "true || sleep infinity"], ends(Some(0), 0)),
            (&["sh", "-c", "false || sleep infinity"], Outcome::Unknown),
            (&["sh", "-c", "false && true || exit 4"], ends(Some(4), 0)),
            (&["sh", "-c", "true || false && exit 5"], ends(Some(5), 0)),
            (&["sh", "-c", "false || false && nginx; echo a"], ends(Some(0), 0)),
            (&["sh", "-c", "! true && nginx"], ends(Some(1), 0)),
            (&["sh", "-c", "! false && exit 6"], ends(Some(6), 0)),
            (&["sh", "-c", "mkdir /a && echo b"], ends(None, 0)),
            (&["sh", "-c", "mkdir /a || exit 1; sleep 5; exit 0"], ends(None, 5)),
            (&["sh", "-c", "mkdir /a && nginx"], Outcome::Unknown),
            (&["sh", "-c", "mkdir /a || exit 1; nginx"], Outcome::Unknown),
            (&["sh", "-c", "echo a > /b && exit 7"], ends(None, 0)),
            (&["sh", "-c", "echo a > /b || nginx"], Outcome::Unknown),
            (&["sh", "-c", "echo a | false"], Outcome::Unknown),
            (&["sh", "-c", "false; exit 0"], ends(Some(0), 0)),
            (&["sh", "-c", "set -e; false; exit 0"], ends(Some(1), 0)),
            (&["sh", "-ec", "false; nginx"], ends(Some(1), 0)),
            (&["bash", "-o", "errexit", "-c", "false; exit 0"], ends(Some(1), 0)),
            (&["sh", "-ec", "false || true; ! true; exit 0"], ends(Some(0), 0)),
            (&["sh", "-ec", "mkdir /a; exit 3"], ends(None, 0)),
            (&["sh", "-c", "exec true; nginx"], ends(Some(0), 0)),
            (&["sh", "-c", "exec > /log; exit 3"], ends(None, 0)),
            (&["sh", "-c", "exec 2>&1; echo a >&2; exit 3"], ends(Some(3), 0)),
            (&["sh", "-c", "set -e; set +e; false; exit 8"], ends(Some(8), 0)),
            (&["sh", "-euc", "echo $A; exit 9"], ends(None, 0)),
            (&["sh", "-c", "set -o pipefail; exit 9"], ends(None, 0)),
            (&["/bin/bash", "-euo", "pipefail", "-c", "exit 9"], ends(Some(9), 0)),
            (&["bash", "-c", "set -o pipefail; exit 9"], ends(Some(9), 0)),
            (&["sh", "-nc", "exit 9"], Outcome::Unknown),
            (&["sh", "-c", "A=$(nginx); exit 1"], Outcome::Unknown),
            (&["sh", "-c", "echo $(nginx)"], Outcome::Unknown),
            (&["sh", "-c", "echo `nginx`"], Outcome::Unknown),
            (&["sh", "-c", "echo $(date) $((1 + 1)); exit 1"], ends(Some(1), 0)),
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
