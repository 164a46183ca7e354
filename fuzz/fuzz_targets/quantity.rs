//! See `quantity` in src/lib.rs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| podsight_fuzz::quantity(data));
