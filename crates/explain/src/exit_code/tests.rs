use super::*;
use proptest::prelude::*;

/// What the kernel keeps when a shell hands `code` over: `bash` reads a 64-bit number and calls `_exit` with its low 32 bits.
fn kept_by_the_kernel(code: i64) -> Option<i32> {
    let status = std::process::Command::new("bash").args(["-c", &format!("exit -- {code}")]).status().ok()?;
    status.code()
}

#[test]
fn agrees_with_what_the_kernel_keeps() {
    let mut codes: Vec<i64> = (-520..=520).step_by(37).collect();
    codes.extend([
        -1024,
        -512,
        -257,
        -256,
        -255,
        -1,
        0,
        1,
        255,
        256,
        257,
        512,
        65535,
        4_294_967_297,
        i64::from(i32::MIN),
        i64::MAX,
        i64::MIN,
    ]);
    for code in codes {
        let Some(kept) = kept_by_the_kernel(code) else {
            println!("skipped: no bash on this machine");
            return;
        };
        assert_eq!(i32::from(shown(code)), kept, "exit {code}");
        assert_eq!(i32::from(explain(&code.to_string(), Lang::En).unwrap().shown), kept);
    }
}

/// The signals that do not end a process by default, and the two that glibc's `posix_spawn` makes its children ignore.
const HARMLESS: [u8; 10] = [17, 18, 19, 20, 21, 22, 23, 28, 32, 33];

#[test]
fn agrees_with_the_signal_that_the_kernel_reports() {
    use std::os::unix::process::ExitStatusExt as _;
    // A child inherits what its parent ignores, for instance SIGHUP under nohup.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let ignored = |number: &u8| ignored.unwrap_or_default() >> (number - 1) & 1 == 1;
    for number in (1..=64_u8).filter(|number| !HARMLESS.contains(number) && !ignored(number)) {
        // Any core file goes where nobody looks.
        let Ok(mut victim) = std::process::Command::new("sleep").arg("60").current_dir("/proc").spawn() else {
            println!("skipped: no sleep on this machine");
            return;
        };
        let killed = std::process::Command::new("bash").args(["-c", &format!("kill -{number} {}", victim.id())]).status();
        if !killed.is_ok_and(|status| status.success()) {
            println!("skipped: no bash on this machine");
            victim.kill().unwrap();
        }
        let status = victim.wait().unwrap();
        assert_eq!(status.signal(), Some(i32::from(number)));
        let meaning = explain(&(128 + i32::from(number)).to_string(), Lang::En).unwrap();
        assert_eq!(meaning.signal, Signal::from_number(number));
        assert_eq!(meaning.signal.unwrap().number, number);
    }
}

proptest! {
    #[test]
    fn any_code_keeps_its_low_eight_bits(code: i64) {
        let meaning = explain(&code.to_string(), Lang::En).unwrap();
        prop_assert_eq!(i64::from(meaning.shown), code.rem_euclid(256));
        prop_assert_eq!(meaning.signal.map(|signal| signal.number), meaning.shown.checked_sub(128).filter(|number| (1..=64).contains(number)));
        prop_assert!(!meaning.name.is_empty() && !meaning.summary.is_empty() && !meaning.checks.is_empty());
    }

    #[test]
    fn any_word_gets_an_answer_or_a_clear_error(word: String) {
        if let Err(error) = explain(&word, Lang::Zh) {
            let clean = !error.to_string().contains(char::is_control);
            prop_assert!(clean);
        }
    }
}

#[test]
fn every_code_has_a_text_in_both_languages() {
    for code in 0..=255_u8 {
        let en = explain(&code.to_string(), Lang::En).unwrap();
        let zh = explain(&code.to_string(), Lang::Zh).unwrap();
        assert!(en.summary.is_ascii(), "{code}: {}", en.summary);
        assert!(zh.summary.contains('。') && zh.checks.iter().all(|check| !check.is_ascii()), "{code}");
        assert_eq!(en.checks.len(), zh.checks.len(), "{code}");
    }
}

#[test]
fn refuses_what_is_no_code() {
    for word in ["", "-", "abc", "1.5", "0x", "1e3", "９"] {
        assert!(matches!(explain(word, Lang::En), Err(ExitCodeError::NotAnInteger { .. })), "{word}");
    }
    for word in ["9223372036854775808", "-9223372036854775809", "0xffffffffffffffffff", &"9".repeat(10_000)] {
        assert!(matches!(explain(word, Lang::En), Err(ExitCodeError::TooLarge { .. })), "{word}");
    }
}

#[test]
fn knows_windows_codes_in_every_spelling() {
    for word in ["-1073741510", "3221225786", "0xC000013A"] {
        let meaning = explain(word, Lang::En).unwrap();
        assert_eq!(meaning.windows.as_deref(), Some("STATUS_CONTROL_C_EXIT (0xC000013A)"), "{word}");
        assert_eq!(meaning.shown, 0x3A);
    }
}

#[test]
fn takes_the_names_of_signals() {
    let names =
        [("SIGKILL", 137), ("term", 143), ("SIGPOLL", 157), ("SIGRTMIN+3", 165), ("SIGRTMIN+20", 182), ("rtmax-2", 190), ("SIG32", 160)];
    for (word, shown) in names {
        assert_eq!(explain(word, Lang::En).unwrap().shown, shown, "{word}");
    }
    for number in 0..=64 {
        assert_eq!(explain(&number.to_string(), Lang::En).unwrap().shown, number, "a number is a code and no signal");
    }
    for word in ["SIGRTMIN+31", "RTMAX-65", "RTMIN+999", "SIGRTMAX-31"] {
        assert!(explain(word, Lang::En).is_err(), "{word}");
    }
}

/// `signal(7)` and the headers of the kernel: the numbers that differ are those of other signals there.
#[test]
fn says_what_a_number_is_on_other_architectures() {
    let checks = |code: &str| explain(code, Lang::En).unwrap().checks.join("\n");
    for (code, words) in [
        ("138", "Elsewhere 10 is SIGBUS on MIPS, Alpha, SPARC, PA-RISC."),
        ("140", "Elsewhere 12 is SIGSYS on MIPS, Alpha, SPARC; SIGXCPU on PA-RISC."),
        ("158", "Elsewhere 30 is SIGXCPU on MIPS; SIGUSR1 on Alpha, SPARC; SIGXFSZ on PA-RISC."),
        ("157", "Elsewhere 29 is SIGPROF on MIPS; SIGPWR on Alpha; SIGLOST on SPARC; SIGURG on PA-RISC."),
        ("135", "Elsewhere 7 is SIGEMT on MIPS, Alpha, SPARC; SIGSTKFLT on PA-RISC."),
    ] {
        assert!(checks(code).contains(words), "{code}: {}", checks(code));
    }
    for code in ["137", "139", "141", "142", "143", "165", "192"] {
        assert!(!checks(code).contains("Elsewhere"), "{code}: {}", checks(code));
    }
}
