//! Scripts and words.

use super::*;

fn names(script: &str) -> Vec<(String, usize)> {
    parse(script)
        .commands
        .iter()
        .map(|command| (command.words.first().map_or_else(String::new, |word| word.text.clone()), command.depth))
        .collect()
}

#[test]
fn splits_words_and_takes_quotes_away() {
    assert_eq!(
        words(r#"java -Xmx512m "-jar" 'my app.jar' a\ b"#),
        Some(vec!["java".into(), "-Xmx512m".into(), "-jar".into(), "my app.jar".into(), "a b".into()])
    );
    assert_eq!(words("a 2>&1 >/dev/null b"), Some(vec!["a".into(), "b".into()]));
    assert_eq!(words("a # comment"), Some(vec!["a".into()]));
    assert_eq!(words(""), Some(vec![]));
    assert_eq!(words(r#""a\"b" 'c"d' "\n""#), Some(vec!["a\"b".into(), "c\"d".into(), "\\n".into()]));
}

#[test]
fn does_not_guess_what_depends_on_the_run() {
    for line in
        ["a $B", "a ${B:-c}", "a {b,c}", "a b{1..3}", "a [b]", "a $(b)", "a `b`", "a *", "~/a", "a && b", "A=b c", "a 'b", "a &", "a | b"]
    {
        assert_eq!(words(line), None, "{line}");
    }
}

#[test]
fn finds_the_commands_of_a_script() {
    assert_eq!(names("sleep 5; exit 1"), [("sleep".into(), 0), ("exit".into(), 0)]);
    assert_eq!(names("if [ -f a ]; then exit 1; fi; exec b"), [("[".into(), 1), ("exit".into(), 1), ("exec".into(), 0)]);
    assert_eq!(names("while true; do sleep 1; done"), [("true".into(), 1), ("sleep".into(), 1)]);
    assert_eq!(names("for i in a b; do echo $i; done\necho c"), [("echo".into(), 1), ("echo".into(), 0)]);
    assert_eq!(names("(a; b) && c"), [("a".into(), 1), ("b".into(), 1), ("c".into(), 0)]);
    let script = parse("X=1 Y=\"$X\" exec java -jar a &");
    assert_eq!(script.commands[0].assignments.len(), 2);
    assert_eq!(script.commands[0].join, Some(Join::Background));
    assert!(parse("cat <<EOF\nexit 1\nEOF").partial);
    assert!(parse("case $1 in a) exit 1;; esac").partial);
}

#[test]
fn tells_what_no_shell_can_parse() {
    for (script, want) in [
        ("echo a; fi", Some(Broken::Stray("fi"))),
        ("while true; echo; done; done", Some(Broken::Stray("done"))),
        ("if true; then echo", Some(Broken::Unclosed("if"))),
        ("echo 'a", Some(Broken::Unclosed("quote"))),
        ("then", Some(Broken::Stray("then"))),
        ("(a; b", Some(Broken::Unclosed("("))),
        ("for i in 1; do echo; done; if a; then b; elif c; then d; else e; fi", None),
        ("echo fi done }", None),
        ("case $1 in a) fi;; esac", None),
        ("cat <<E\nfi\nE", None),
        ("A=b done", None),
        ("f() { a; }; f", None),
        ("a || { echo \"x, y\"; exit 1; }", None),
        ("{ date; echo 1.2; } > /tmp/log", None),
        ("y=\"${A:-\"${B}/c\"}\"; a", None),
        ("A=\"${B:-\"default value\"}\"; a", None),
        ("x=$(a -d $'\\'') ; exec app $'it\\'s' --x", None),
        ("time { a; }", None),
        ("time -p { a; }", None),
        ("coproc { a; }", None),
        ("for i in 1 2; { a; }", None),
        ("a=(fi done)", None),
        ("if a; then { b; } >c fi", None),
        ("[[ a && fi ]]", None),
        ("[[ a ]]; fi", Some(Broken::Stray("fi"))),
        ("{ a, b; }; }", Some(Broken::Stray("}"))),
    ] {
        assert_eq!(parse(script).broken, want, "{script}");
    }
}

#[test]
fn bounded_on_hostile_scripts() {
    assert!(parse(&"(".repeat(1_000_000)).partial);
    assert!(parse(&"$(".repeat(30_000)).partial);
    assert!(parse(&"é".repeat(100_000)).partial);
    // Were the rest of the script read again for each of these, the test would take minutes.
    for piece in ["{", "{ ", "[", "[ ", "a;", "a[b ", "{ a;", "${", "$'", "\"${'", "{a,", "for i;"] {
        let script = piece.repeat(65_000 / piece.len());
        assert!(parse(&script).commands.len() <= script.len(), "{piece}");
    }
}

#[test]
fn notes_what_changes_a_command_s_exit_code() {
    let marks = |script: &str| parse(script).commands.iter().map(|command| (command.negated, command.redirected)).collect::<Vec<_>>();
    assert_eq!(marks("! a; b"), [(true, false), (false, false)]);
    assert_eq!(marks("! ! a && ! b"), [(false, false), (true, false)]);
    assert_eq!(
        marks("a > b; c 2>&1; d >/dev/null 2>&1; e < f; g >&2; h > 2"),
        [(false, true), (false, false), (false, false), (false, true), (false, false), (false, true)]
    );
}
