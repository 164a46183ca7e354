//! See `image_ref` in src/lib.rs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| podsight_fuzz::image_ref(data));
