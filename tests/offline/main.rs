//! Tests that need nothing: no root, no network, no cluster.

mod explain_hostile;
mod fuzz_targets;
mod kmsg_captured;
mod kmsg_framings;
