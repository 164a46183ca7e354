//! Kernel log bytes as records.

use std::borrow::Cow;

/// One record of the kernel log, whatever form it was read in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// The sequence number; only `/dev/kmsg` gives it.
    pub seq: Option<u64>,
    /// Microseconds since boot by the kernel's `local_clock()`.
    pub usec: Option<u64>,
    /// The wall clock as the log wrote it (`dmesg -T`, journal, syslog), as text for people.
    pub time: Option<Cow<'a, str>>,
    /// The facility (0 is the kernel); absent where the form does not give it.
    pub facility: Option<u16>,
    /// The severity, 0 to 7.
    pub level: Option<u8>,
    /// The message without framing, escapes undone.
    pub text: Cow<'a, [u8]>,
}
