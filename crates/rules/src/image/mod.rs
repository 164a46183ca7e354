//! Rules about images.

pub(crate) mod image_invalid;
