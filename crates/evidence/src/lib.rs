//! Reports of kills as evidence on a pod: attribution, ledger and annotation.

pub mod annotation;
