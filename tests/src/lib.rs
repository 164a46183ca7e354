//! Helpers that the test binaries share.

pub mod authority;
pub mod client;
pub mod program;
pub mod review;
