//! Counts what a run of `cargo test` says.

use std::ops::AddAssign;

/// Results of tests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Tally {
    /// One check that passed or failed.
    pub(crate) fn of(passed: bool) -> Self {
        Self { passed: u32::from(passed), failed: u32::from(!passed), skipped: 0 }
    }

    /// Sums the result lines of `cargo test … -- --show-output`. The test binaries `without` are left out.
    ///
    /// A test that passes and says `skipped: …` at the beginning of a line has been skipped.
    pub(crate) fn read(output: &str, without: &[&str]) -> Self {
        let mut all = Self::default();
        let (mut counted, mut said_skipped) = (true, 0);
        for line in output.lines() {
            if let Some(binary) = line.trim_start().strip_prefix("Running ") {
                counted =
                    !without.iter().any(|name| binary.starts_with(&format!("tests/{name}/")) || binary.starts_with(&format!("{name}/")));
                said_skipped = 0;
            } else if line.trim_start().starts_with("Doc-tests ") {
                (counted, said_skipped) = (true, 0);
            } else if line.starts_with("skipped: ") {
                said_skipped += 1;
            } else if let Some(result) = line.strip_prefix("test result: ") {
                if counted {
                    let passed = number_before(result, " passed");
                    let skipped = said_skipped.min(passed);
                    all += Self {
                        passed: passed - skipped,
                        failed: number_before(result, " failed"),
                        skipped: skipped + number_before(result, " ignored"),
                    };
                }
                said_skipped = 0;
            }
        }
        all
    }
}

/// Names of the tests that failed, each once, in the order of the output.
pub(crate) fn failures(output: &str) -> Vec<&str> {
    let mut names: Vec<&str> = vec![];
    for name in output.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED")) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

fn number_before(text: &str, word: &str) -> u32 {
    let before = text.split_once(word).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "     Running unittests src/lib.rs (target/debug/deps/podsight_oom-1)

running 3 tests
test a ... ok
test b ... ignored
test c ... FAILED

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running repo/main.rs (target/debug/deps/repo-1)

---- corpus stdout ----
skipped: the corpus is not beside this checkout

test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s

     Running node/main.rs (target/debug/deps/node-1)

---- kills stdout ----
skipped: cargo xtask test runs these

test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests podsight_oom

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

    #[test]
    fn results_are_summed_and_skipped_ones_told_apart() {
        assert_eq!(Tally::read(OUTPUT, &["node"]).to_string(), "14 passed, 1 failed, 2 skipped");
        assert_eq!(failures(OUTPUT), ["c"]);
        assert_eq!(Tally::read(OUTPUT, &[]), Tally { passed: 20, failed: 1, skipped: 3 });
    }
}
