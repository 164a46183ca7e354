//! Helpers that the test binaries share.

pub mod authority;
pub mod client;
pub mod clients;
pub mod load;
pub mod program;
pub mod review;
pub mod testbed;
