//! The node agent: reads the kernel log, puts kills down to the node's pods and writes confirmed evidence on them.
//!
//! ```text
//! read (kernel log) ─┐
//! watch (pods) ──────┼─▶ node (settle, merge, account) ─▶ queue ─▶ publish (pods/status, Events)
//! counters (vmstat) ─┘                                 └▶ checkpoint
//! ```
//! Everything runs in one task on one thread. Reading and remembering come first, the network last.

pub mod api_pod;
pub mod args;
pub mod bare;
pub mod cgroups;
pub mod checkpoint;
pub mod clock;
pub mod counters;
pub mod log;
pub mod metrics;
pub mod node;
pub mod processes;
pub mod publish;
pub mod queue;
pub mod read;
pub mod record;
pub mod run;
pub mod watch;

pub use args::{Args, KernelLog};
pub use run::{Agent, AgentError, run};
