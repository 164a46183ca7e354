//! Words are split as a POSIX shell splits them: generated lines are read by both.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends at its first error, and its helpers with it")]

use podsight_spec::shell::words;
use std::process::Command;

/// What a line is made of: everything that quoting and splitting is about.
const PIECES: [&str; 24] = [
    "a",
    "bc",
    " ",
    "  ",
    "\t",
    "'",
    "\"",
    "\\",
    "'x y'",
    "\"x y\"",
    "\"a\\\"b\"",
    "\"\\n\"",
    "\\ ",
    "\\'",
    "--opt=v",
    "=",
    "A=b ",
    "#",
    "x#y",
    ".",
    "/",
    ":",
    ",",
    "é",
];

/// A generator of its own, so that a failure is the same on every machine.
fn lines(count: usize) -> Vec<String> {
    let mut state = 7_u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % u64::try_from(limit).unwrap()).unwrap()
    };
    (0..count).map(|_| (0..=below(9)).map(|_| PIECES[below(PIECES.len())]).collect()).collect()
}

#[test]
fn words_are_split_as_the_shell_splits_them() {
    // One script for all: each line's words, each with a mark behind it, and another behind the line.
    // A backslash at the end would join a line with the next one of the script.
    let lines = lines(20_000).into_iter().filter(|line| !line.ends_with('\\'));
    let judged: Vec<(String, Vec<String>)> = lines.filter_map(|line| words(&line).map(|words| (line, words))).collect();
    assert!(judged.len() > 5_000, "{} lines are judged: too few to say anything", judged.len());
    let mut script = String::from("w() { for x in \"$@\"; do printf '%s\\001' \"$x\"; done; printf '\\002'; }\n");
    for (line, _) in &judged {
        script.push_str("w ");
        script.push_str(line);
        script.push('\n');
    }
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("words.sh");
    std::fs::write(&file, script).unwrap();
    let Ok(output) = Command::new("sh").arg(&file).env("LC_ALL", "C").output() else { return println!("skipped: no sh") };
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<&str> = answers.split_terminator('\u{2}').collect();
    assert_eq!(answers.len(), judged.len(), "{}", String::from_utf8_lossy(&output.stderr));
    for ((line, own), answer) in judged.iter().zip(answers) {
        let theirs: Vec<&str> = answer.split_terminator('\u{1}').collect();
        assert_eq!(own, &theirs, "{line:?}");
    }
}

/// What a script is made of: keywords, separators and quotes.
const SCRIPT: [&str; 39] = [
    "if",
    "then",
    "else",
    "elif",
    "fi",
    "while",
    "until",
    "do",
    "done",
    "{",
    "}",
    "(",
    ")",
    "for i in 1 2",
    "case x in",
    "esac",
    "a",
    "echo b",
    ";",
    "\n",
    "&&",
    "|",
    "'",
    "\"",
    "!",
    "A=b",
    ".",
    ",",
    "{a,b}",
    "{a..b}",
    "{ a, b; }",
    "${A:-b}",
    "${A:-\"${B}/c\"}",
    "\"${A:-\"${B}\"}\"",
    "$(a \"b)\")",
    "$(case x in x) a; esac)",
    "[ a ]",
    "[a]",
    ">a",
];

#[test]
fn what_is_called_broken_no_shell_parses() {
    let mut state = 11_u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % u64::try_from(limit).unwrap()).unwrap()
    };
    let mut broken = 0;
    while broken < 400 {
        let pieces: Vec<&str> = (0..=below(10)).map(|_| SCRIPT[below(SCRIPT.len())]).collect();
        let script = pieces.join(" ");
        if podsight_spec::shell::parse(&script).broken.is_none() {
            continue;
        }
        broken += 1;
        let Ok(status) = Command::new("sh").args(["-n", "-c", &script]).stderr(std::process::Stdio::null()).status() else {
            return println!("skipped: no sh");
        };
        assert!(!status.success(), "a shell parses {script:?}");
    }
}
