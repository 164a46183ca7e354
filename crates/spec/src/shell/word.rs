//! Words: quotes and expansions. Each byte is looked at a fixed number of times, whatever the script.

use super::{Broken, Reader, Word};

impl Reader<'_> {
    /// Reads one word up to an operator or blank.
    pub(super) fn word(&mut self) -> Word {
        let mut word = Word { text: String::new(), literal: true, quoted: false };
        word.literal &= !self.rest.starts_with('~');
        // The braces that are open in the word, and whether they would be expanded; whether a bracket is open.
        let (mut braces, mut bracket) = (Vec::new(), false);
        while let Some(next) = self.rest.chars().next() {
            match next {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\'' => {
                    word.quoted = true;
                    self.skip(1);
                    let Some(end) = self.rest.find('\'') else { return self.unclosed(word) };
                    word.text.push_str(self.rest.get(..end).unwrap_or_default());
                    self.skip(end + 1);
                }
                '"' => {
                    word.quoted = true;
                    self.skip(1);
                    if !self.double_quoted(&mut word) {
                        return self.unclosed(word);
                    }
                }
                '\\' => {
                    self.skip(1);
                    match self.rest.chars().next() {
                        Some('\n') => self.skip(1),
                        Some(escaped) => {
                            word.quoted = true;
                            word.text.push(escaped);
                            self.skip(escaped.len_utf8());
                        }
                        None => word.text.push('\\'),
                    }
                }
                '$' | '`' => self.expansion(&mut word, false),
                _ => {
                    match next {
                        // File names.
                        '*' | '?' => word.literal = false,
                        '[' => bracket = true,
                        ']' => word.literal &= !bracket,
                        // Where the shell is bash: `{a,b}` and `{1..3}`. A brace alone is a keyword.
                        '{' => braces.push(false),
                        '}' => word.literal &= !braces.pop().unwrap_or_default(),
                        ',' => expand(&mut braces),
                        '.' if self.rest.starts_with("..") => expand(&mut braces),
                        _ => {}
                    }
                    word.text.push(next);
                    self.skip(next.len_utf8());
                }
            }
        }
        word
    }

    fn unclosed(&mut self, mut word: Word) -> Word {
        self.break_at(Broken::Unclosed("quote"));
        self.script.partial = true;
        word.literal = false;
        self.rest = "";
        word
    }

    /// Reads up to the closing quote; `false` if there is none.
    fn double_quoted(&mut self, word: &mut Word) -> bool {
        while let Some(next) = self.rest.chars().next() {
            match next {
                '"' => {
                    self.skip(1);
                    return true;
                }
                '\\' => {
                    self.skip(1);
                    match self.rest.chars().next() {
                        Some('\n') => self.skip(1),
                        Some(escaped @ ('$' | '`' | '"' | '\\')) => {
                            word.text.push(escaped);
                            self.skip(1);
                        }
                        _ => word.text.push('\\'),
                    }
                }
                '$' | '`' => self.expansion(word, true),
                _ => {
                    word.text.push(next);
                    self.skip(next.len_utf8());
                }
            }
        }
        false
    }

    /// Reads `$name`, `${…}`, `$(…)`, `` `…` `` or a dollar that is just one.
    fn expansion(&mut self, word: &mut Word, quoted: bool) {
        let mut chars = self.rest.chars();
        let first = chars.next();
        let second = chars.next();
        let length = match (first, second) {
            (Some('`'), _) | (_, Some('{' | '(')) => {
                let (end, sure) = closing(self.rest, quoted);
                self.script.partial |= !sure;
                end
            }
            (_, Some(name)) if name.is_ascii_alphabetic() || name == '_' => {
                Some(1 + self.rest.bytes().skip(1).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count())
            }
            (_, Some('0'..='9' | '@' | '*' | '#' | '?' | '-' | '$' | '!')) => Some(2),
            // `$'…'` is bash's: another shell sees a dollar and a quote. They differ in where it ends.
            (_, Some('\'' | '"')) => {
                let body = self.rest.get(2..).and_then(|rest| rest.split('\'').next());
                if second == Some('\'') && !quoted && body.is_some_and(|body| body.ends_with('\\')) {
                    None
                } else {
                    word.literal = false;
                    word.text.push('$');
                    return self.skip(1);
                }
            }
            _ => {
                word.text.push('$');
                return self.skip(1);
            }
        };
        word.literal = false;
        let Some(length) = length else {
            self.script.partial = true;
            word.text.push_str(self.rest);
            self.rest = "";
            return;
        };
        word.text.push_str(self.rest.get(..length).unwrap_or_default());
        self.skip(length);
    }
}

/// The name in front of an `=`, where the text begins with an assignment.
pub(super) fn assigned_name(text: &str) -> Option<&str> {
    let length = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let (name, rest) = text.split_at_checked(length)?;
    let valid = rest.starts_with('=') && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit());
    valid.then_some(name)
}

fn expand(braces: &mut [bool]) {
    if let Some(brace) = braces.last_mut() {
        *brace = true;
    }
}

/// Behind the end of the `${…}`, `$(…)` or `` `…` `` that the text begins with, and whether every shell sees it there.
fn closing(text: &str, quoted: bool) -> (Option<usize>, bool) {
    // What is open, by what closes it.
    let mut open: Vec<char> = Vec::new();
    // How many of these are double quotes.
    let mut doubles = usize::from(quoted);
    let mut sure = true;
    let (mut before, mut escaped) = ('\0', false);
    let mut chars = text.char_indices().peekable();
    while let Some((at, next)) = chars.next() {
        let last = std::mem::replace(&mut before, next);
        if std::mem::take(&mut escaped) {
            continue;
        }
        let within = open.last().copied();
        match (within, next) {
            (Some(closer), next) if closer == next => {
                doubles = doubles.saturating_sub(usize::from(closer == '"'));
                open.pop();
            }
            (Some('\''), _) => {}
            (_, '\\') => escaped = true,
            // The first backquote ends it, whatever is quoted.
            (Some('`'), _) => {}
            (_, '`') => open.push('`'),
            (_, '$') => match chars.peek() {
                Some((_, '{')) => {
                    chars.next();
                    open.push('}');
                }
                Some((_, '(')) => {
                    chars.next();
                    open.push(')');
                }
                // Bash's quotes know escapes.
                Some((_, '\'')) => sure &= within == Some('"'),
                _ => {}
            },
            (Some('"'), _) => {}
            // Within double quotes the shells differ about single ones.
            (Some('}'), '\'') if doubles > 0 => sure = false,
            (_, '\'' | '"') => {
                doubles += usize::from(next == '"');
                open.push(next);
            }
            (Some(')'), '(') => open.push(')'),
            // Comments, here-documents and `case` have quotes and parentheses of their own.
            (Some(')'), '#') if last.is_ascii_whitespace() || matches!(last, '(' | ';' | '&' | '|') => sure = false,
            (Some(')'), '<') if last == '<' => sure = false,
            (Some(')'), 'c') if !last.is_ascii_alphanumeric() => sure &= !text.get(at..).is_some_and(|rest| rest.starts_with("case")),
            _ => {}
        }
        if open.is_empty() {
            return (Some(at + next.len_utf8()), sure);
        }
    }
    (None, sure)
}
