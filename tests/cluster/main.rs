//! podsight with a real API server: what users see, and what podsight's identities may do.
//! `cargo xtask test` starts it and names it in `PODSIGHT_TESTBED`; without that the tests are skipped.

mod e2e_agent_permissions;
mod e2e_agent_policy;
#[cfg(test)]
mod e2e_agent_rights;
mod e2e_certificate;
mod e2e_cluster;
mod e2e_cluster_corpus;
#[cfg(test)]
mod e2e_doctor;
mod e2e_ephemeral;
mod e2e_mutation;
mod e2e_policy;
mod e2e_silence;
#[cfg(test)]
mod e2e_visible;
mod e2e_warnings;
mod e2e_webhook_stopped;
mod following;
#[cfg(test)]
mod own;
mod webhook;
