//! What an explanation is made from. It is immutable: the same input gives the same explanation.

use crate::event::Event;
use crate::memory::KernelKills;
use crate::status::ServerVersion;
use podsight_cause::Lang;
use serde_json::Value;

/// What is known of one pod.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The Pod object, or what stands in its place.
    pub pod: &'a Value,
    /// Events, oldest first; those of other objects are left aside.
    pub events: &'a [&'a Event],
    /// The kills of a kernel log, where one was given.
    pub kills: Option<&'a KernelKills>,
    /// The version of the server that the columns are computed for.
    pub server: ServerVersion,
    /// The language of the texts.
    pub lang: Lang,
    /// The last lines of logs, by container name.
    pub logs: &'a [(String, String)],
    /// Flags that lead kubectl to the user's cluster, for the commands.
    pub kubectl_flags: &'a [String],
}

impl<'a> Input<'a> {
    /// A pod alone.
    pub fn new(pod: &'a Value) -> Self {
        Self { pod, events: &[], kills: None, server: ServerVersion::NEWEST, lang: Lang::En, logs: &[], kubectl_flags: &[] }
    }
}
