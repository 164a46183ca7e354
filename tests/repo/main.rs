//! Tests of the repository itself: its layers, manifests, documents and habits.

mod catalogue;
mod chart;
mod deny;
mod dockerfile;
mod docs_fresh;
mod generated;
mod house;
mod layering;
mod manifests;
mod objects;
mod observability;
mod overlays;
mod policy;
mod repository;
mod rights;
mod visible;
mod watches;
