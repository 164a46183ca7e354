//! A pod, its events and its evidence as an explanation.

pub mod exit_code;
