//! What is known of a cluster's objects: names, keys as hashes, and what decides over pods.
//!
//! It holds no data of anybody's: of a ConfigMap or a Secret its name and the hashes of its keys. Who fills it (a listing, a watch) says what is
//! complete; about all else it says that nobody knows.

mod cluster;
mod combined;
mod keys;
mod kind;
mod object;
mod table;

pub use cluster::Cluster;
pub use combined::Combined;
pub use keys::Keys;
pub use kind::Kind;
pub use object::{Kept, Object};
pub use table::Table;
