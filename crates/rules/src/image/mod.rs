//! Rules about images.

pub(crate) mod image_invalid;
pub(crate) mod image_untagged;
pub(crate) mod image_whitespace;
pub(crate) mod pull_never;
