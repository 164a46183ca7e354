//! Reports of kills as evidence on a pod.
//!
//! The way of a kill through this crate: [`attribute::attribute`] puts it down to a pod and a container of the
//! [`pods::Pods`] on the node, [`verdict::at_kill`] names its cause, [`merge::merge`] adds it to the pod's
//! [`annotation::Evidence`], and [`annotation::write`] makes the bytes. The [`ledger::Ledger`] checks the sum.
//! Nothing here reads a clock, a file or a socket.

pub mod annotation;
pub mod attribute;
pub mod checkpoint;
pub mod counted;
pub mod escape;
pub mod id;
pub mod ledger;
pub mod merge;
pub mod pods;
pub mod quantity;
pub mod sentence;
pub mod verdict;
