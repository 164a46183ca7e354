//! Tests of the repository itself: its layers, manifests, documents and habits.

mod catalogue;
mod deny;
mod dockerfile;
mod house;
mod layering;
mod manifests;
mod objects;
mod policy;
mod repository;
