//! See `explain` in src/explain.rs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| podsight_fuzz::explain::explain(data));
