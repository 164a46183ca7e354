//! Image references and quantities are read as Kubernetes' own Go code reads them: 100,000 generated texts of each, same verdict and same value.
//!
//! The oracle is tests/oracle, built where there is a Go toolchain that can get its modules; elsewhere the tests say that they are skipped.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends at its first error, and its helpers with it")]

use podsight_spec::{ImageRef, Quantity};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const TEXTS: usize = 100_000;

/// The oracle's program, or why there is none.
fn oracle() -> &'static Result<PathBuf, String> {
    static ORACLE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    ORACLE.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle");
        let built = Command::new("go").args(["build", "-o"]).arg(&program).arg(".").current_dir(source).output();
        match built {
            Err(error) => Err(format!("skipped: no Go toolchain ({error})")),
            Ok(output) if output.status.success() => Ok(program),
            Ok(output) => {
                let message = String::from_utf8_lossy(&output.stderr).into_owned();
                // Without a network the modules are missing; a source that does not build is a failure.
                assert!(message.contains("dial tcp") || message.contains("lookup "), "tests/oracle does not build: {message}");
                Err("skipped: the oracle's Go modules cannot be fetched".to_owned())
            }
        }
    })
}

fn ask(program: &Path, questions: Vec<Value>) -> Vec<Value> {
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let text: Vec<String> = questions.iter().map(Value::to_string).collect();
        input.write_all(text.join("\n").as_bytes()).unwrap();
    });
    let answers = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    answers
}

/// A generator of its own (`SplitMix64`), so that a failure is the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Changes up to three characters.
    fn mutate(&mut self, text: &mut String, characters: &[char]) {
        for _ in 0..self.below(4) {
            let mut all: Vec<char> = text.chars().collect();
            let at = self.below(all.len() + 1);
            let c = characters[self.below(characters.len())];
            match self.below(3) {
                0 => all.insert(at, c),
                1 if at < all.len() => all[at] = c,
                _ if at < all.len() => {
                    all.remove(at);
                }
                _ => {}
            }
            *text = all.into_iter().collect();
        }
    }
}

fn image(random: &mut Random) -> String {
    const HOSTS: [&str; 20] = [
        "docker.io",
        "index.docker.io",
        "localhost",
        "localhost:5000",
        "quay.io",
        "quay.io:443",
        "Quay.IO",
        "[::1]",
        "[::1]:5000",
        "[fe80::g]",
        "UPPER",
        "a_b.c",
        "-a.b",
        "a..b",
        "host:",
        "host:80a",
        "127.0.0.1:1",
        "a-.b",
        "library",
        "ünï.de",
    ];
    const PARTS: [&str; 24] = [
        "a",
        "nginx",
        "library",
        "my-app",
        "my_app",
        "my__app",
        "my.app",
        "a--b",
        "a---b",
        "0",
        "my___app",
        "my..app",
        "App",
        "-a",
        "a-",
        "_a",
        "a_",
        ".",
        "",
        "0123456789abcdef",
        "a._b",
        "ß",
        "a b",
        "${X}",
    ];
    const TAGS: [&str; 12] = ["latest", "1.27", "V1", "_x", ".x", "-x", "a:b", "a/b", "", "x-.", "${TAG}", "ä"];
    const ALGORITHMS: [&str; 8] = ["sha256", "sha384", "sha512", "sha1", "SHA256", "md5", "sha256+b64", ""];
    let mut text = String::new();
    if random.chance(55) {
        text.push_str(random.one(&HOSTS));
        text.push('/');
    }
    let parts = 1 + random.below(3);
    for number in 0..parts {
        if number > 0 {
            text.push('/');
        }
        let all = if random.chance(85) { 10 } else { PARTS.len() };
        text.push_str(random.one(&PARTS[..all]));
        if random.chance(1) {
            text.push_str(&"x".repeat(240 + random.below(20)));
        }
    }
    if random.chance(50) {
        text.push(':');
        text.push_str(random.one(&TAGS));
        if random.chance(3) {
            text.push_str(&"t".repeat(120 + random.below(12)));
        }
    }
    if random.chance(25) {
        text.push('@');
        text.push_str(random.one(&ALGORITHMS));
        text.push(':');
        let lengths = [0, 31, 32, 63, 64, 64, 64, 65, 96, 128];
        let digits = if random.chance(85) { "0123456789abcdef" } else { "0123456789abcdefABCDEFg" };
        let digits: Vec<char> = digits.chars().collect();
        for _ in 0..lengths[random.below(lengths.len())] {
            text.push(digits[random.below(digits.len())]);
        }
    }
    if random.chance(3) {
        text = (0..62 + random.below(4)).map(|_| ['0', '9', 'a', 'f'][random.below(4)]).collect();
    }
    if random.chance(40) {
        random.mutate(&mut text, &['a', 'Z', '0', '.', '_', '-', '/', ':', '@', '[', ']', ' ', '\t', '\n', 'é', 'İ', '$', '{', '}', '+']);
    }
    text
}

fn quantity(random: &mut Random) -> String {
    const SUFFIXES: [&str; 34] = [
        "", "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "K", "Mb", "MB", "MiB", "mi", "gi", "Kii",
        "e3", "E3", "e-3", "E+2", "e", "e+", "E-10", "e18", "i", "nn",
    ];
    let mut text = String::from(random.one(&["", "", "", "", "+", "-", "--"]));
    for _ in 0..random.below(4) * random.below(4) {
        text.push(char::from(b'0' + u8::try_from(random.below(10)).unwrap()));
    }
    if random.chance(30) {
        text.push('.');
        for _ in 0..random.below(13) {
            text.push(char::from(b'0' + u8::try_from(random.below(10)).unwrap()));
        }
    }
    text.push_str(random.one(&SUFFIXES));
    if random.chance(25) {
        random.mutate(&mut text, &['0', '9', '.', 'e', 'E', 'i', 'K', 'M', 'm', 'n', '+', '-', ' ', ',', 'x', 'é']);
    }
    // The original computes the power of ten in full: of a large exponent it would never be done.
    let exponent = text.rfind(['e', 'E']).map_or(0, |at| text.bytes().skip(at).filter(u8::is_ascii_digit).count());
    if exponent > 3 { quantity(random) } else { text }
}

#[test]
fn images_are_read_as_the_kubelet_reads_them() {
    let program = match oracle() {
        Ok(program) => program,
        Err(skipped) => return println!("{skipped}"),
    };
    let mut random = Random(1);
    let texts: Vec<String> = (0..TEXTS).map(|_| image(&mut random)).collect();
    let answers = ask(program, texts.iter().map(|text| json!({"image": text})).collect());
    assert_eq!(answers.len(), texts.len());
    let mut valid = 0;
    for (text, answer) in texts.iter().zip(&answers) {
        let own = ImageRef::parse(text);
        assert_eq!(own.is_ok(), answer["valid"] == true, "{text:?}: {own:?}, the kubelet: {answer}");
        let Ok(own) = own else { continue };
        valid += 1;
        let hub = matches!(own.domain, None | Some("docker.io" | "index.docker.io"));
        let path = if hub && !own.path.contains('/') { format!("library/{}", own.path) } else { own.path.to_owned() };
        let found = json!([path, own.tag.unwrap_or(""), own.digest.unwrap_or("")]);
        let text_of = |field: &str| answer.get(field).cloned().unwrap_or_else(|| json!(""));
        assert_eq!(found, json!([text_of("path"), text_of("tag"), text_of("digest")]), "{text:?}");
    }
    assert!(valid > TEXTS / 10 && valid < TEXTS / 10 * 9, "{valid} of {TEXTS} texts are valid: that tests one side only");
}

#[test]
fn quantities_are_read_as_the_api_server_reads_them() {
    let program = match oracle() {
        Ok(program) => program,
        Err(skipped) => return println!("{skipped}"),
    };
    let mut random = Random(2);
    let texts: Vec<String> = (0..TEXTS).map(|_| quantity(&mut random)).collect();
    let answers = ask(program, texts.iter().map(|text| json!({"quantity": text})).collect());
    assert_eq!(answers.len(), texts.len());
    let mut valid = 0;
    for (text, answer) in texts.iter().zip(&answers) {
        let own = Quantity::parse(text);
        assert_eq!(own.is_ok(), answer["valid"] == true, "{text:?}: {own:?}, Kubernetes: {answer}");
        let Ok(own) = own else { continue };
        valid += 1;
        for (field, own) in [("value", own.value()), ("milli", own.milli_value())] {
            if let Some(theirs) = answer.get(field).and_then(Value::as_i64) {
                assert_eq!(own, theirs, "{field} of {text:?}");
            }
        }
    }
    assert!(valid > TEXTS / 10 && valid < TEXTS / 10 * 9, "{valid} of {TEXTS} texts are valid: that tests one side only");
}
