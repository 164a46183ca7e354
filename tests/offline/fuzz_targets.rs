//! The fuzz targets on the captured logs, on manifests and on damaged pieces of them, without a fuzzer.

#[expect(unreachable_pub, reason = "the fuzzer's workspace takes the file as a library")]
#[path = "../../fuzz/src/lib.rs"]
pub(crate) mod targets;

use crate::kmsg_captured::{folder, names};
use anyhow::Result;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// The captured logs, as the seeds of the fuzzer.
fn seeds() -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for name in names()? {
        for ending in ["kmsg", "dmesg"] {
            seeds.push(fs::read(folder().join(format!("{name}.{ending}")))?);
        }
    }
    Ok(seeds)
}

#[test]
fn whole_logs() -> Result<()> {
    for log in seeds()? {
        targets::kmsg_record(&log);
        targets::oom_machine(&log);
        for line in log.split(|byte| *byte == b'\n') {
            targets::kmsg_record(line);
            targets::cgroup_path(line);
            for field in line.split(|byte| *byte == b'=' || *byte == b',') {
                targets::cgroup_path(field);
            }
        }
    }
    Ok(())
}

/// Manifests of all kinds: the rules' own fixtures.
fn manifests() -> Result<Vec<Vec<u8>>> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/rules/fixtures")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files.into_iter().map(|file| Ok(fs::read(file)?)).collect()
}

/// An object as the API server sends it for review.
fn body(object: &str) -> Vec<u8> {
    let (front, back) =
        (r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","object":"#, "}}");
    format!("{front}{object}{back}").into_bytes()
}

#[test]
fn whole_manifests() -> Result<()> {
    for manifest in manifests()? {
        targets::manifest(&manifest);
        for document in podsight_spec::read(&manifest).0 {
            targets::review(&body(&document.value.to_string()));
        }
        for word in manifest.split(|byte| byte.is_ascii_whitespace() || b",{}[]\"".contains(byte)) {
            targets::quantity(word);
            targets::image_ref(word);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Pieces of real logs, cut anywhere, put together in any order and with bytes changed.
    #[test]
    fn damaged_logs(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_usize..2500), 1..6),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
    ) {
        static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| seeds().unwrap_or_default());
        let mut log = Vec::new();
        for (seed, at, length) in cuts {
            let seed = seed.get(&SEEDS);
            // The reports are in the second half.
            let start = seed.len() / 3 + at.index(seed.len() * 2 / 3);
            log.extend_from_slice(&seed[start..seed.len().min(start + length)]);
        }
        for (at, byte) in changes {
            let at = at.index(log.len());
            log[at] = byte;
        }
        targets::kmsg_record(&log);
        targets::oom_machine(&log);
    }

    /// A file of the agent, with a few bytes changed.
    #[test]
    fn damaged_checkpoints(seq in any::<u64>(), changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let mut file = format!(
            r#"{{"v":1,"boot":"4f1d2c3b","through":"4f1d2c3b:{seq}:5297431:158","account":{{"counter":{seq},"through":"4f1d2c3b:-:5297431:158"}}}}"#
        )
        .into_bytes();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        targets::checkpoint_file(&file);
    }

    /// Pieces of manifests, put together in any order and with bytes changed.
    #[test]
    fn damaged_manifests(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_usize..800), 1..6),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
    ) {
        static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| manifests().unwrap_or_default());
        let mut manifest = Vec::new();
        for (seed, at, length) in cuts {
            let seed = seed.get(&SEEDS);
            let start = at.index(seed.len());
            manifest.extend_from_slice(&seed[start..seed.len().min(start + length)]);
        }
        for (at, byte) in changes {
            let at = at.index(manifest.len());
            manifest[at] = byte;
        }
        targets::manifest(&manifest);
        targets::review(&body(&String::from_utf8_lossy(&manifest)));
    }

    #[test]
    fn any_words(quantity in "[+-]?[0-9.]{0,12}[a-zA-Z+-]{0,3}[0-9]{0,4}", image in "[a-zA-Z0-9./:@_-]{0,60}") {
        targets::quantity(quantity.as_bytes());
        targets::image_ref(image.as_bytes());
    }

    #[test]
    fn any_bytes(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        targets::kmsg_record(&data);
        targets::oom_machine(&data);
        targets::cgroup_path(&data);
        targets::checkpoint_file(&data);
        targets::manifest(&data);
        targets::quantity(&data);
        targets::image_ref(&data);
        targets::review(&data);
    }
}
