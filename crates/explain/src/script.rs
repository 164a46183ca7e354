//! Whether the script of a shell is whole, as far as that can be told by its quotes and keywords.

/// What a script lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A quote that is not closed.
    Quote(char),
    /// A keyword that opens something which is never closed, or the reverse.
    Keyword(&'static str),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Quote(quote) => write!(formatter, "{quote}"),
            Self::Keyword(keyword) => formatter.write_str(keyword),
        }
    }
}

/// The keywords that belong together. The second closes the first.
const PAIRS: [(&str, &str); 2] = [("if", "fi"), ("do", "done")];

/// Looks for a quote or a keyword without its counterpart. It stays silent where a script holds a here document, `case` or a function,
/// whose words cannot be told without a whole parser.
pub(crate) fn fault(script: &str) -> Option<Fault> {
    if script.contains("<<") || script.len() > 64 * 1024 {
        return None;
    }
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    // A keyword counts only where a command may begin.
    let mut begins = true;
    let (mut single, mut double, mut escaped, mut comment, mut quoted) = (false, false, false, false, false);
    for c in script.chars().chain(['\n']) {
        if comment {
            if c != '\n' {
                continue;
            }
            comment = false;
        }
        if escaped {
            escaped = false;
            quoted = true;
            continue;
        }
        match c {
            '\\' if !single => escaped = true,
            '\'' if !double => {
                single = !single;
                quoted = true;
            }
            '"' if !single => {
                double = !double;
                quoted = true;
            }
            _ if single || double => {}
            '#' if word.is_empty() && !quoted => comment = true,
            c if c.is_whitespace() || ";&|()".contains(c) => {
                let keyword = begins && !quoted && !word.is_empty();
                if keyword {
                    words.push(word.clone());
                }
                if !word.is_empty() || quoted {
                    begins = keyword && ["if", "then", "else", "elif", "do", "while", "until", "!", "{"].contains(&word.as_str());
                }
                begins |= "\n;&|(".contains(c);
                word.clear();
                quoted = false;
            }
            c => word.push(c),
        }
    }
    if single || double {
        return Some(Fault::Quote(if single { '\'' } else { '"' }));
    }
    if words.iter().any(|word| word == "case" || word == "function" || word == "select") || script.contains("()") {
        return None;
    }
    PAIRS.into_iter().find_map(|(open, close)| {
        let count = |wanted: &str| words.iter().filter(|word| *word == wanted).count();
        match count(open).cmp(&count(close)) {
            std::cmp::Ordering::Greater => Some(Fault::Keyword(open)),
            std::cmp::Ordering::Less => Some(Fault::Keyword(close)),
            std::cmp::Ordering::Equal => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_not_closed() {
        assert_eq!(fault("echo 'a"), Some(Fault::Quote('\'')));
        assert_eq!(fault("echo \"it's"), Some(Fault::Quote('"')));
        assert_eq!(fault("if true; then echo x"), Some(Fault::Keyword("if")));
        assert_eq!(fault("while true; do sleep 1"), Some(Fault::Keyword("do")));
        assert_eq!(fault("echo x; fi"), Some(Fault::Keyword("fi")));
    }

    #[test]
    fn is_silent_where_all_is_well_or_cannot_be_told() {
        for script in [
            "",
            "echo if do fi",
            "if [ -f a ]; then\n  echo 'if' # if\nfi",
            "for i in 1 2 3; do echo $i; done",
            "while ! nc -z db 5432; do sleep 1; done && exec app",
            "if true; then if false; then :; else :; fi; fi",
            "cat <<EOF\nit's\nEOF",
            "case $1 in a) echo;; esac",
            "(if true; then echo; fi)",
            "echo don\\'t",
        ] {
            assert_eq!(fault(script), None, "{script}");
        }
    }

    /// The shell itself is asked, where there is one.
    #[test]
    fn agrees_with_the_shell() {
        for script in [
            "echo 'a",
            "if true; then echo x",
            "while true; do sleep 1",
            "echo x; fi",
            "if true; then echo 'a'; fi",
            "for i in a; do :; done",
            "done",
            "echo done",
        ] {
            let Ok(status) = std::process::Command::new("sh").args(["-n", "-c", script]).stderr(std::process::Stdio::null()).status()
            else {
                println!("skipped: no sh on this machine");
                return;
            };
            assert_eq!(fault(script).is_none(), status.success(), "{script}");
        }
    }
}
