//! The configuration file. Its sound parts apply, whatever is wrong with the rest.
//!
//! ```yaml
//! rules:
//!   memory-tiny: deny
//!   heap-over-limit: off
//! ```

use podsight_rules::{Certainty, RULES};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What a finding of a rule leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Off,
    /// A warning.
    Warn,
    /// The request is denied, if the finding is certain; otherwise a warning.
    Deny,
}

impl Level {
    fn of(value: &Value) -> Option<Self> {
        match value {
            // YAML 1.1, as kubectl reads it, takes a bare `off` for false.
            Value::Bool(false) => Some(Self::Off),
            Value::String(text) if text == "off" => Some(Self::Off),
            Value::String(text) if text == "warn" => Some(Self::Warn),
            Value::String(text) if text == "deny" => Some(Self::Deny),
            _ => None,
        }
    }
}

/// What findings lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    levels: BTreeMap<&'static str, Level>,
}

impl Policy {
    /// What a finding of the rule leads to: a warning, unless the configuration says otherwise.
    pub fn level(&self, rule: &str) -> Level {
        self.levels.get(rule).copied().unwrap_or(Level::Warn)
    }

    /// A policy for tests.
    #[cfg(test)]
    pub(crate) fn from_levels<const N: usize>(levels: [(&'static str, &str); N]) -> Self {
        let level = |text| Level::of(&Value::String(text)).unwrap_or(Level::Warn);
        Self { levels: levels.map(|(rule, text)| (rule, level(text.to_owned()))).into() }
    }
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The line, where it is known.
    pub line: Option<u32>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

/// A rule as the configuration sees it.
#[derive(Clone, Copy, Debug)]
struct Known {
    id: &'static str,
    certainty: Certainty,
}

/// Reads a configuration file.
pub fn read(bytes: &[u8]) -> (Policy, Vec<ConfigProblem>) {
    let rules: Vec<Known> = RULES.iter().map(|rule| Known { id: rule.id(), certainty: rule.certainty() }).collect();
    read_with(bytes, &rules)
}

fn read_with(bytes: &[u8], known: &[Known]) -> (Policy, Vec<ConfigProblem>) {
    let (documents, unreadable) = podsight_spec::read(bytes);
    let mut policy = Policy::default();
    let mut problems: Vec<ConfigProblem> =
        unreadable.into_iter().map(|problem| ConfigProblem { line: problem.line, message: problem.message }).collect();
    for document in &documents {
        let mut problem = |pointer: &str, message: String| {
            problems.push(ConfigProblem { line: document.position(pointer).map(|position| position.line), message });
        };
        let root = match &document.value {
            Value::Object(root) => root,
            Value::Null => continue,
            _ => {
                problem("", "the configuration must be a mapping, such as `rules: {memory-tiny: off}`".to_owned());
                continue;
            }
        };
        for (key, value) in root {
            let pointer = format!("/{}", escape(key));
            match (key.as_str(), value) {
                ("rules", Value::Object(rules)) => {
                    for (id, value) in rules {
                        if let Err(message) = apply(&mut policy, known, id, value) {
                            problem(&format!("{pointer}/{}", escape(id)), message);
                        }
                    }
                }
                ("rules", Value::Null) => {}
                ("rules", _) => problem(&pointer, "`rules` must be a mapping of rules to off, warn or deny".to_owned()),
                _ => problem(&pointer, format!("unknown field `{}`; the nearest valid one is `rules`", shown(key))),
            }
        }
    }
    problems.sort_by_key(|problem| problem.line);
    (policy, problems)
}

fn apply(policy: &mut Policy, known: &[Known], id: &str, value: &Value) -> Result<(), String> {
    let Some(rule) = known.iter().find(|rule| rule.id == id) else {
        let nearest = known.iter().min_by_key(|rule| distance(rule.id, id));
        let hint = nearest.map_or_else(String::new, |rule| format!("; the nearest valid name is `{}`", rule.id));
        return Err(format!("unknown rule `{}`{hint}", shown(id)));
    };
    let level = Level::of(value).ok_or_else(|| format!("`{id}` must be off, warn or deny"))?;
    policy.levels.insert(rule.id, level);
    if level == Level::Deny && rule.certainty < Certainty::Certain {
        return Err(format!("`{id}` warns only: deny needs a rule whose findings are certain"));
    }
    Ok(())
}

/// A key as a part of a JSON pointer (RFC 6901).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A key from outside, fit for a log line.
fn shown(key: &str) -> String {
    key.chars().take(64).flat_map(char::escape_debug).collect()
}

/// The edit distance (Levenshtein) of two names, of which only the beginning counts.
fn distance(left: &str, right: &str) -> usize {
    const COMPARED_CHARACTERS: usize = 64;
    let right: Vec<char> = right.chars().take(COMPARED_CHARACTERS).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().take(COMPARED_CHARACTERS).enumerate() {
        let mut diagonal = index;
        let mut last = index + 1;
        let mut next = vec![last];
        for (above, other) in row.iter().skip(1).zip(&right) {
            last = (diagonal + usize::from(letter != *other)).min(above + 1).min(last + 1);
            next.push(last);
            diagonal = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Known] = &[
        Known { id: "memory-tiny", certainty: Certainty::Certain },
        Known { id: "image-invalid", certainty: Certainty::Certain },
        Known { id: "heap-over-limit", certainty: Certainty::Likely },
    ];

    fn problems(text: &str) -> Vec<String> {
        read_with(text.as_bytes(), KNOWN).1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn levels() {
        let (policy, problems) = read_with(b"rules:\n  memory-tiny: deny\n  image-invalid: off\n", KNOWN);
        assert_eq!(problems, []);
        assert_eq!(policy.level("memory-tiny"), Level::Deny);
        assert_eq!(policy.level("image-invalid"), Level::Off);
        assert_eq!(policy.level("heap-over-limit"), Level::Warn);
        for empty in ["", "rules:\n", "{}", "# nothing\n"] {
            assert_eq!(read_with(empty.as_bytes(), KNOWN), (Policy::default(), Vec::new()), "{empty}");
        }
    }

    #[test]
    fn problems_name_the_line_and_the_nearest_name_and_the_rest_applies() {
        let text = "rules:\n  memry-tiny: off\n  image-invalid: 'off'\n  heap-over-limit: deny\n  memory-tiny: loud\nrule: {}\n";
        assert_eq!(
            problems(text),
            [
                "line 2: unknown rule `memry-tiny`; the nearest valid name is `memory-tiny`",
                "line 4: `heap-over-limit` warns only: deny needs a rule whose findings are certain",
                "line 5: `memory-tiny` must be off, warn or deny",
                "line 6: unknown field `rule`; the nearest valid one is `rules`",
            ]
        );
        assert_eq!(read_with(text.as_bytes(), KNOWN).0.level("image-invalid"), Level::Off);
        assert_eq!(problems("rules: [memory-tiny]"), ["line 1: `rules` must be a mapping of rules to off, warn or deny"]);
        assert_eq!(problems("- rules"), ["line 1: the configuration must be a mapping, such as `rules: {memory-tiny: off}`"]);
        assert_eq!(
            problems("rules: {\"a\\e[31m\": off}"),
            ["line 1: unknown rule `a\\u{1b}[31m`; the nearest valid name is `memory-tiny`"]
        );
        assert_eq!(problems("rules: {").len(), 1);
    }

    #[test]
    fn distances() {
        for (left, right, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("memory-tiny", "memory-tiny", 0)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }
}
