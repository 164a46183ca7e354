//! The webhook's own certificate: made, stored, trusted and renewed without anybody's help.
//!
//! What is to be done is decided by `podsight-certificate`; this is where it happens. The Secret is written with optimistic locking, so
//! that of several replicas one wins and the others take what it made: nobody has to lead.

mod args;
mod issue;
mod keeper;
mod secret;
mod trust;

pub use args::{CertificateArgs, Source};
pub use issue::{IssueError, Issued, new_authority, new_leaf};
pub(crate) use keeper::Keeper;
pub use keeper::KeeperMetrics;
