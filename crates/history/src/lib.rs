//! What the kernel killed before, by workload and container: `Evidence → History → PastKills`.
//!
//! A [`KilledPod`] is put down to its [`WorkloadKey`], its evidence becomes [`KillRecord`]s of a [`History`], and [`PastKills`] tells
//! whether a limit was tried before and was not enough. Nothing here reads a clock, a file or a socket.

mod index;
mod judge;
mod owner;
mod pod;
mod record;
mod store;
mod suggestion;

pub use index::{History, MAX_AGE_SECONDS, MAX_WORKLOADS};
pub use judge::{Judgement, PastKills, Shortfall};
pub use owner::{Controller, Owner, WorkloadKey};
pub use pod::KilledPod;
pub use record::{KillRecord, Level, MAX_PODS};
pub use store::{CONFIG_MAP, CONFIG_MAP_KEY, MAX_BYTES, ReadError, VERSION, read, write};
pub use suggestion::suggestion;
