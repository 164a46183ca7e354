//! See `manifest` in src/lib.rs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| podsight_fuzz::manifest(data));
