//! See `checkpoint_file` in src/lib.rs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| podsight_fuzz::checkpoint_file(data));
