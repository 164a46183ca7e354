//! What language runtimes and servers take from their environment and command line. Values that are not in the object are unknown, never guessed.

pub(crate) mod base_image;
pub(crate) mod golang;
pub(crate) mod jvm;
pub(crate) mod line;
pub(crate) mod node;
pub(crate) mod outcome;
pub(crate) mod probes;
pub(crate) mod server;

/// A size that a runtime is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// In bytes.
    pub(crate) bytes: i64,
    /// As it is written, with its option.
    pub(crate) written: String,
    /// JSON pointer of the text that it stands in.
    pub(crate) pointer: String,
}
