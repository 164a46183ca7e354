//! The life of the webhook's own certificate: what is there, and what is to be done next.
//!
//! An authority signs a leaf. Both are renewed at two thirds of their life. A new authority is first put beside the old one into
//! what API servers trust, and signs only when they have had time to learn of it: at every moment they trust whoever signed the
//! leaf that is served. Keys and sockets are somebody else's: values go in, a step comes out, and the time is one of the values.

mod facts;
mod plan;
mod stored;

pub use facts::{Certificate, CertificateProblem, bundle};
pub use plan::{Authority, BACKDATE_SECONDS, Leaf, Lifetimes, Plan, Reason, Situation, Trusted, renewal_at};
pub use stored::{AUTHORITIES, AUTHORITY_KEY, LEAF, LEAF_KEY, Stored};
