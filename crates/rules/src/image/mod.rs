//! Rules about images.

pub(crate) mod image_invalid;
pub(crate) mod image_not_found;
pub(crate) mod image_untagged;
pub(crate) mod image_whitespace;
pub(crate) mod image_wrong_platform;
pub(crate) mod missing_pull_secret;
pub(crate) mod pull_never;
