//! Shell scripts as far as we read them: which simple commands they hold and with which words, after POSIX.1-2024 chapter 2 (token recognition, quoting).
//!
//! What depends on the run (expansions, command substitution) is unknown, never guessed.

mod word;

use word::assigned_name;

/// The separators and operators between commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// `;`, a line break or the end.
    Then,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
    /// `&`: in the background.
    Background,
}

/// One word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The text with the quotes taken away, with expansions left as they are written.
    pub text: String,
    /// Whether the text is what the program gets: no parameter, command or file name expansion in it.
    pub literal: bool,
    /// Whether a part of it was quoted; such a word is no keyword.
    pub quoted: bool,
}

/// A simple command: words without the assignments in front and the redirections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The assignments in front: name and value.
    pub assignments: Vec<(String, Word)>,
    /// The command's name and its arguments.
    pub words: Vec<Word>,
    /// How deep it stands in compound commands, functions and subshells; 0 is the script itself.
    pub depth: usize,
    /// What comes behind it.
    pub join: Option<Join>,
    /// Whether a `!` stands before it: its exit code is turned around.
    pub negated: bool,
    /// Whether it has a redirection that may fail in its place: any but to what is open and to `/dev/null`.
    pub redirected: bool,
}

impl Command {
    /// The name of the command, where it does not depend on the run.
    pub fn name(&self) -> Option<&str> {
        self.words.first().filter(|word| word.literal).map(|word| word.text.as_str())
    }
}

/// A script that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The simple commands in the order of the text.
    pub commands: Vec<Command>,
    /// Whether there was something that we do not read (here-documents, `case`, functions, an open quote): what is there is no more than a part.
    pub partial: bool,
    /// What no shell can parse, where the script is surely none: the shell ends with code 2 before its first command.
    pub broken: Option<Broken>,
}

/// Why a shell cannot parse a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A keyword that closes or goes on with something that was not begun: `fi`, `done`, `then`.
    Stray(&'static str),
    /// Something that was begun and is not closed: `if` without `fi`.
    Unclosed(&'static str),
}

/// What is open in a script, by the keyword that closes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    If,
    Loop,
    Brace,
    Subshell,
}

impl Open {
    const fn opener(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::Loop => "do",
            Self::Brace => "{",
            Self::Subshell => "(",
        }
    }
}

/// What is read of one script at most; longer ones are read in part.
const LONGEST: usize = 64 * 1024;

/// Reads a script.
pub fn parse(script: &str) -> Script {
    let end = script.floor_char_boundary(LONGEST);
    let mut reader = Reader {
        rest: script.get(..end).unwrap_or_default(),
        script: Script { partial: end < script.len(), ..Script::default() },
        command: Command::default(),
        open: Vec::new(),
        redirected: false,
        test: false,
    };
    reader.read();
    if let Some(open) = reader.open.last() {
        reader.break_at(Broken::Unclosed(open.opener()));
    }
    reader.script
}

/// The words of one command line as a shell would split them; `None` where an expansion or an operator makes them depend on the run.
pub fn words(line: &str) -> Option<Vec<String>> {
    let mut script = parse(line);
    let command = script.commands.pop();
    if script.partial || !script.commands.is_empty() {
        return None;
    }
    let command = command.unwrap_or_default();
    let plain = command.join.is_none_or(|join| join == Join::Then)
        && command.assignments.is_empty()
        && command.words.iter().all(|word| word.literal);
    plain.then(|| command.words.into_iter().map(|word| word.text).collect())
}

struct Reader<'a> {
    rest: &'a str,
    script: Script,
    command: Command,
    /// What was begun and is not closed yet.
    open: Vec<Open>,
    /// Whether a redirection stands before the next word: shells differ in whether a keyword may follow.
    redirected: bool,
    /// Whether it is in bash's `[[ … ]]`, where no word is a keyword.
    test: bool,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some(next) = self.rest.chars().next() {
            match next {
                ' ' | '\t' | '\r' => self.skip(1),
                '\\' if self.rest.starts_with("\\\n") => self.skip(2),
                '#' => self.skip(self.rest.find('\n').unwrap_or(self.rest.len())),
                '\n' | ';' => {
                    // `;;` ends a branch of a `case`.
                    self.script.partial |= self.rest.starts_with(";;");
                    self.test &= next == '\n';
                    self.operator(1, Join::Then);
                }
                '&' if self.rest.starts_with("&&") => self.operator(2, Join::And),
                '&' => self.operator(1, Join::Background),
                '|' if self.rest.starts_with("||") => self.operator(2, Join::Or),
                '|' => self.operator(1, Join::Pipe),
                '(' => {
                    // A subshell; behind a word a function's parentheses, behind an assignment bash's array.
                    self.script.partial |= !self.command.words.is_empty() || !self.command.assignments.is_empty();
                    self.operator(1, Join::Then);
                    self.open(Open::Subshell);
                }
                ')' => {
                    self.operator(1, Join::Then);
                    self.close(Open::Subshell, ")");
                }
                '<' | '>' => self.redirection(),
                _ => self.word_of_command(),
            }
        }
        self.end(Join::Then);
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn operator(&mut self, bytes: usize, join: Join) {
        self.skip(bytes);
        self.end(join);
    }

    fn end(&mut self, join: Join) {
        let mut command = std::mem::take(&mut self.command);
        self.redirected = false;
        if !command.words.is_empty() || !command.assignments.is_empty() {
            command.join = Some(join);
            command.depth = self.open.len();
            self.script.commands.push(command);
        }
    }

    fn redirection(&mut self) {
        if self.rest.starts_with("<<") {
            // A here-document: what follows is data up to a line that we do not look for.
            self.script.partial = true;
            self.rest = "";
            return;
        }
        self.redirected = true;
        let operator = self.rest.bytes().take_while(|byte| matches!(byte, b'<' | b'>' | b'&' | b'|')).count();
        let taken = self.rest.get(..operator).unwrap_or_default();
        self.skip(operator);
        let duplicates = taken.contains('&');
        self.skip(self.rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count());
        let target = self.word();
        let open = duplicates && target.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        self.command.redirected |= !open && !matches!(target.text.as_str(), "/dev/null" | "/dev/stdout" | "/dev/stderr");
    }

    fn word_of_command(&mut self) {
        let assigned = if self.command.words.is_empty() { assigned_name(self.rest) } else { None };
        if let Some(name) = assigned {
            let name = name.to_owned();
            self.skip(name.len() + 1);
            let value = self.word();
            self.command.assignments.push((name, value));
            return;
        }
        let word = self.word();
        let number = !word.quoted && !word.text.is_empty() && word.text.bytes().all(|byte| byte.is_ascii_digit());
        if number && self.rest.starts_with(['<', '>']) {
            return;
        }
        let first = self.command.words.is_empty() && self.command.assignments.is_empty();
        if !word.quoted && word.literal {
            if first && !self.test && self.keyword(&word.text) {
                return;
            }
            // Bash reads a whole command behind these two, compound ones too; others run a program of that name.
            let timed = self.command.words.first().is_some_and(|name| matches!(name.text.as_str(), "time" | "coproc"));
            self.script.partial |= timed && is_keyword(&word.text);
            self.test = (self.test || (first && word.text == "[[")) && word.text != "]]";
        }
        self.command.words.push(word);
    }

    /// Whether the word is a keyword that is no part of a command, and what it opens or closes.
    fn keyword(&mut self, word: &str) -> bool {
        self.script.partial |= self.redirected && is_keyword(word);
        match word {
            "if" => self.open(Open::If),
            "while" | "until" => self.open(Open::Loop),
            "{" => self.open(Open::Brace),
            "fi" => self.close(Open::If, "fi"),
            "done" => self.close(Open::Loop, "done"),
            "}" => self.close(Open::Brace, "}"),
            "then" => self.within(Open::If, "then"),
            "else" => self.within(Open::If, "else"),
            "elif" => self.within(Open::If, "elif"),
            "do" => self.within(Open::Loop, "do"),
            "!" => self.command.negated = !self.command.negated,
            "for" => {
                // `for name in words`: its words are no command.
                self.open(Open::Loop);
                let end = self.rest.find([';', '\n']).unwrap_or(self.rest.len());
                self.script.partial |= self.rest.get(..end).is_none_or(|head| head.contains(['(', '\'', '"', '`', '\\', '#']));
                self.skip(end);
                // Bash takes braces in place of `do` and `done`.
                self.script.partial |= self.rest.trim_start_matches([';', '\n', ' ', '\t']).starts_with('{');
            }
            "case" | "esac" | "select" | "function" => self.script.partial = true,
            _ => return false,
        }
        true
    }

    fn open(&mut self, open: Open) {
        self.open.push(open);
    }

    fn close(&mut self, open: Open, keyword: &'static str) {
        if self.open.last() == Some(&open) {
            self.open.pop();
        } else {
            self.break_at(Broken::Stray(keyword));
        }
    }

    fn within(&mut self, open: Open, keyword: &'static str) {
        if self.open.last() != Some(&open) {
            self.break_at(Broken::Stray(keyword));
        }
    }

    /// Notes the first thing that no shell can parse, unless something before it was not read: that could explain it.
    fn break_at(&mut self, broken: Broken) {
        if !self.script.partial && self.script.broken.is_none() {
            self.script.broken = Some(broken);
        }
    }
}

/// Whether the word opens, closes or goes on with a compound command.
fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "if" | "then" | "else" | "elif" | "fi" | "while" | "until" | "for" | "do" | "done" | "{" | "}" | "case" | "esac" | "select" | "!"
    )
}

#[cfg(test)]
mod tests;
