//! The configuration file. Its sound parts apply, whatever is wrong with the rest; one that is no YAML at all changes nothing.
//!
//! ```yaml
//! rules:
//!   memory-tiny: deny
//!   heap-over-limit: off
//! namespaces:
//! - selector: {matchLabels: {environment: production}}
//!   rules: {image-invalid: deny}
//! ```

use crate::selector::{Labels, Selector};
use podsight_rules::{Certainty, RULES};
use podsight_spec::Document;
use serde_json::{Map, Value};
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

/// What findings lead to, by rule.
type Levels = BTreeMap<&'static str, Level>;

/// What findings lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    levels: Levels,
    /// For some namespaces; the last that says something of a rule counts.
    namespaces: Vec<(Selector, Levels)>,
}

/// What holds in one namespace.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    policy: &'a Policy,
    namespace: &'a str,
    labels: Option<&'a Labels>,
}

impl Policy {
    /// What holds in a namespace. Where its labels are not known, parts that ask for labels do not apply.
    pub fn within<'a>(&'a self, namespace: &'a str, labels: Option<&'a Labels>) -> Here<'a> {
        Here { policy: self, namespace, labels }
    }

    /// Whether some of it depends on the labels of namespaces.
    pub fn asks_for_labels(&self) -> bool {
        !self.namespaces.is_empty()
    }

    /// A policy for tests.
    #[cfg(test)]
    pub(crate) fn from_levels<const N: usize>(levels: [(&'static str, &str); N]) -> Self {
        let level = |text| Level::of(&Value::String(text)).unwrap_or(Level::Warn);
        Self { levels: levels.map(|(rule, text)| (rule, level(text.to_owned()))).into(), namespaces: Vec::new() }
    }
}

impl Here<'_> {
    /// What a finding of the rule leads to: a warning, unless the configuration says otherwise.
    pub fn level(self, rule: &str) -> Level {
        let mut selected = self.policy.namespaces.iter().rev().filter(|(selector, _)| selector.selects(self.namespace, self.labels));
        let special = selected.find_map(|(_, levels)| levels.get(rule));
        special.or_else(|| self.policy.levels.get(rule)).copied().unwrap_or(Level::Warn)
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

/// Reads a configuration file. Without a policy it is no YAML, or no mapping, and nothing of it can apply.
pub fn read(bytes: &[u8]) -> (Option<Policy>, Vec<ConfigProblem>) {
    let rules = RULES.iter().map(|rule| Known { id: rule.id(), certainty: rule.certainty() });
    // What changes objects does not deny them.
    let changes = podsight_mutation::RULES.map(|id| Known { id, certainty: Certainty::Hint });
    let known: Vec<Known> = rules.chain(changes).collect();
    read_with(bytes, &known)
}

/// A file while it is read.
struct Reading<'a> {
    known: &'a [Known],
    document: &'a Document,
    problems: Vec<ConfigProblem>,
}

fn read_with(bytes: &[u8], known: &[Known]) -> (Option<Policy>, Vec<ConfigProblem>) {
    let (documents, unreadable) = podsight_spec::read(bytes);
    let mut is_whole = unreadable.is_empty();
    let mut policy = Policy::default();
    let mut problems: Vec<ConfigProblem> =
        unreadable.into_iter().map(|problem| ConfigProblem { line: problem.line, message: problem.message }).collect();
    for document in &documents {
        let mut reading = Reading { known, document, problems: Vec::new() };
        match &document.value {
            Value::Object(root) => reading.root(root, &mut policy),
            Value::Null => {}
            _ => {
                is_whole = false;
                reading.problem("", "the configuration must be a mapping, such as `rules: {memory-tiny: off}`".to_owned());
            }
        }
        problems.append(&mut reading.problems);
    }
    problems.sort_by_key(|problem| problem.line);
    (is_whole.then_some(policy), problems)
}

impl Reading<'_> {
    fn problem(&mut self, pointer: &str, message: String) {
        let line = self.document.position(pointer).map(|position| position.line);
        self.problems.push(ConfigProblem { line, message });
    }

    fn root(&mut self, root: &Map<String, Value>, policy: &mut Policy) {
        for (key, value) in root {
            match (key.as_str(), value) {
                ("rules", _) => policy.levels.extend(self.levels("/rules", value)),
                ("namespaces", Value::Array(entries)) => {
                    for (number, entry) in entries.iter().enumerate() {
                        policy.namespaces.extend(self.namespaces(&format!("/namespaces/{number}"), entry));
                    }
                }
                ("namespaces", Value::Null) => {}
                ("namespaces", _) => self.problem("/namespaces", "`namespaces` must be a list of `{selector, rules}`".to_owned()),
                _ => self.unknown_field("", key, &["rules", "namespaces"]),
            }
        }
    }

    /// An entry for some namespaces. One whose selector cannot be read is left out: it could select too much.
    fn namespaces(&mut self, pointer: &str, entry: &Value) -> Option<(Selector, Levels)> {
        let Value::Object(entry) = entry else {
            self.problem(pointer, "an entry of `namespaces` must be a mapping with `selector` and `rules`".to_owned());
            return None;
        };
        for key in entry.keys().filter(|key| !matches!(key.as_str(), "selector" | "rules")) {
            self.unknown_field(pointer, key, &["selector", "rules"]);
        }
        let levels = entry.get("rules").map_or_else(Levels::new, |rules| self.levels(&format!("{pointer}/rules"), rules));
        match entry.get("selector").map(Selector::of) {
            Some(Ok(selector)) => return Some((selector, levels)),
            Some(Err((below, message))) => self.problem(&format!("{pointer}/selector{below}"), message),
            None => self.problem(pointer, "an entry of `namespaces` needs a `selector`; `selector: {}` selects all".to_owned()),
        }
        None
    }

    fn levels(&mut self, pointer: &str, value: &Value) -> Levels {
        let mut levels = Levels::new();
        match value {
            Value::Object(rules) => {
                for (id, value) in rules {
                    if let Err(message) = apply(&mut levels, self.known, id, value) {
                        self.problem(&format!("{pointer}/{}", escape(id)), message);
                    }
                }
            }
            Value::Null => {}
            _ => self.problem(pointer, "`rules` must be a mapping of rules to off, warn or deny".to_owned()),
        }
        levels
    }

    fn unknown_field(&mut self, pointer: &str, key: &str, valid: &[&str]) {
        let nearest = valid.iter().min_by_key(|valid| distance(valid, key)).unwrap_or(&"rules");
        self.problem(
            &format!("{pointer}/{}", escape(key)),
            format!("unknown field `{}`; the nearest valid one is `{nearest}`", shown(key)),
        );
    }
}

fn apply(levels: &mut Levels, known: &[Known], id: &str, value: &Value) -> Result<(), String> {
    let Some(rule) = known.iter().find(|rule| rule.id == id) else {
        let nearest = known.iter().min_by_key(|rule| distance(rule.id, id));
        let hint = nearest.map_or_else(String::new, |rule| format!("; the nearest valid name is `{}`", rule.id));
        return Err(format!("unknown rule `{}`{hint}", shown(id)));
    };
    let level = Level::of(value).ok_or_else(|| format!("`{id}` must be off, warn or deny"))?;
    levels.insert(rule.id, level);
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
        let policy = policy.unwrap();
        let policy = policy.within("shop", None);
        assert_eq!(policy.level("memory-tiny"), Level::Deny);
        assert_eq!(policy.level("image-invalid"), Level::Off);
        assert_eq!(policy.level("heap-over-limit"), Level::Warn);
        for empty in ["", "rules:\n", "{}", "# nothing\n"] {
            assert_eq!(read_with(empty.as_bytes(), KNOWN), (Some(Policy::default()), Vec::new()), "{empty}");
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
        assert_eq!(read_with(text.as_bytes(), KNOWN).0.unwrap().within("shop", None).level("image-invalid"), Level::Off);
        assert_eq!(problems("rules: [memory-tiny]"), ["line 1: `rules` must be a mapping of rules to off, warn or deny"]);
        assert_eq!(problems("- rules"), ["line 1: the configuration must be a mapping, such as `rules: {memory-tiny: off}`"]);
        assert_eq!(
            problems("rules: {\"a\\e[31m\": off}"),
            ["line 1: unknown rule `a\\u{1b}[31m`; the nearest valid name is `memory-tiny`"]
        );
        assert_eq!(problems("rules: {").len(), 1);
    }

    #[test]
    fn what_is_no_configuration_has_no_policy() {
        for text in ["rules: {", "- rules", "7", "rules: {memory-tiny: deny}\n---\n{"] {
            let (policy, problems) = read_with(text.as_bytes(), KNOWN);
            assert!(policy.is_none() && !problems.is_empty(), "{text}");
        }
    }

    #[test]
    fn namespaces_have_their_own_levels() {
        let text = "
rules: {memory-tiny: deny}
namespaces:
- selector: {matchLabels: {env: test}}
  rules: {memory-tiny: off, image-invalid: off}
- selector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [shop]}]}
  rules: {image-invalid: deny}
";
        let (policy, problems) = read_with(text.as_bytes(), KNOWN);
        assert_eq!(problems, []);
        let policy = policy.unwrap();
        assert!(policy.asks_for_labels());
        let labels: Labels = [("env".to_owned(), "test".to_owned())].into();
        let levels = |namespace: &str, labels: Option<&Labels>| {
            let here = policy.within(namespace, labels);
            (here.level("memory-tiny"), here.level("image-invalid"))
        };
        assert_eq!(levels("other", None), (Level::Deny, Level::Warn));
        assert_eq!(levels("other", Some(&labels)), (Level::Off, Level::Off));
        assert_eq!(levels("shop", Some(&labels)), (Level::Off, Level::Deny), "the last that says something counts");
        assert_eq!(levels("shop", None), (Level::Deny, Level::Deny));
    }

    #[test]
    fn problems_of_namespaces_name_the_line_too() {
        let text = "namespaces:\n- rules: {memory-tiny: deny}\n- selector: {matchLabels: {a: b}}\n  rule: {}\n- selector:\n    matchLabel: {}\n- 7\n- selector: {}\n  rules: {heap-over-limit: deny}\n";
        assert_eq!(
            problems(text),
            [
                "line 2: an entry of `namespaces` needs a `selector`; `selector: {}` selects all",
                "line 4: unknown field `rule`; the nearest valid one is `rules`",
                "line 6: a label selector has `matchLabels` and `matchExpressions`, nothing else",
                "line 7: an entry of `namespaces` must be a mapping with `selector` and `rules`",
                "line 9: `heap-over-limit` warns only: deny needs a rule whose findings are certain",
            ]
        );
        assert_eq!(problems("namespaces: {}"), ["line 1: `namespaces` must be a list of `{selector, rules}`"]);
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
