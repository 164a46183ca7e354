//! The fuzz targets on the captured logs and on damaged pieces of them, without a fuzzer.

#[expect(unreachable_pub, reason = "the fuzzer's workspace takes the file as a library")]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use crate::kmsg_captured::{folder, names};
use anyhow::Result;
use proptest::prelude::*;
use std::fs;
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

    #[test]
    fn any_bytes(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        targets::kmsg_record(&data);
        targets::oom_machine(&data);
        targets::cgroup_path(&data);
        targets::checkpoint_file(&data);
    }
}
