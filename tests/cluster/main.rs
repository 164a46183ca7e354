//! Tests on a real API server. `cargo xtask test` starts it and names it in `PODSIGHT_TESTBED`; without that they are skipped.

mod e2e_agent_policy;
mod testbed;
