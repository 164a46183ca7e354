//! What the files of one run hold: the names and keys that their pods may refer to.

use crate::facts::{Facts, Presence, RefKind};
use podsight_spec::Document;
use serde_json::Value;

/// The objects of a run.
#[derive(Clone, Debug, Default)]
pub struct Bundle {}

/// What a set of documents holds.
pub fn bundle_of(documents: &[Document]) -> Bundle {
    let mut bundle = Bundle::default();
    for document in documents {
        bundle.add(&document.value);
    }
    bundle
}

impl Bundle {
    /// Notes what an object is and which keys it has.
    pub fn add(&mut self, _object: &Value) {}
}

impl Facts for Bundle {
    fn object(&self, _kind: RefKind, _namespace: Option<&str>, _name: &str) -> Presence {
        Presence::Unknown
    }
}
