//! Commands with real names.

use crate::explanation::Step;

/// How commands start: the flags that reach the user's cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kubectl<'a> {
    pub(crate) flags: &'a [String],
    pub(crate) namespace: &'a str,
}

impl Kubectl<'_> {
    /// A command in the pod's namespace; nothing where a name that it needs is not known.
    pub(crate) fn step(self, changes_something: bool, words: &[&str], why: String) -> Option<Step> {
        // A path that looks for a container without a name finds none.
        if words.iter().any(|word| word.contains("@.name==\"\"")) {
            return None;
        }
        let mut command = "kubectl".to_owned();
        for flag in self.flags {
            push(&mut command, flag)?;
        }
        if !self.namespace.is_empty() {
            push(&mut command, "-n")?;
            push(&mut command, self.namespace)?;
        }
        for word in words {
            push(&mut command, word)?;
        }
        // A debug session makes a pod, even if it only looks.
        let changes_something = changes_something || words.first() == Some(&"debug");
        Some(Step { command, changes_something, why })
    }
}

/// Appends a word, quoted for a POSIX shell. A word that is empty or holds control characters makes the command useless.
fn push(command: &mut String, word: &str) -> Option<()> {
    if word.is_empty() || word.len() > 600 || word.chars().any(crate::render::hostile) {
        return None;
    }
    command.push(' ');
    if word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c)) {
        command.push_str(word);
    } else {
        command.push('\'');
        command.push_str(&word.replace('\'', r"'\''"));
        command.push('\'');
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_one_word() {
        let kubectl = Kubectl { flags: &[], namespace: "a b" };
        let step = kubectl.step(false, &["logs", "x'; rm -rf ~; '"], String::new()).unwrap();
        assert_eq!(step.command, r"kubectl -n 'a b' logs 'x'\''; rm -rf ~; '\'''");
    }

    #[test]
    fn a_name_that_is_not_known_makes_no_command() {
        let kubectl = Kubectl { flags: &[], namespace: "" };
        assert_eq!(kubectl.step(false, &["logs", ""], String::new()), None);
        assert_eq!(kubectl.step(false, &["logs", "a\nb"], String::new()), None);
        assert_eq!(
            kubectl.step(false, &["get", "pod", "a", "-o", "jsonpath={.spec.containers[?(@.name==\"\")].image}"], String::new()),
            None
        );
        assert_eq!(kubectl.step(false, &["logs", "a"], String::new()).unwrap().command, "kubectl logs a");
    }
}
