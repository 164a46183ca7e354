//! Kernel log bytes as records.
//!
//! - [`DevKmsg`] reads `/dev/kmsg`, [`Syslog`] the same ring by syslog(2): they are the only parts that do I/O.
//! - [`Replay`] reads a whole log that somebody kept, in whatever form, skipping what cannot matter.
//! - [`Record`] is what all of them give.

mod dev_kmsg;
mod filter;
mod frame;
mod journal;
mod moment;
mod newest_first;
mod record;
mod replay;
mod salvage;
mod stamp;
mod syslog;
mod unfold;

pub use dev_kmsg::{DevKmsg, ReadError};
pub use filter::Filter;
pub use newest_first::oldest_first;
pub use record::{Place, Record, escape, kmsg_record, unescape};
pub use replay::Replay;
pub use syslog::{NewLines, Syslog, SyslogError, new_lines};
pub use unfold::unfolded;
