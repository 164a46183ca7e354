//! A real Kubernetes on this machine for tests and demonstrations.
//!
//! Everything is built from its Go modules, runs on loopback and lives in one folder; nothing else is left behind.

pub mod build;
pub mod certificates;
pub mod cgroups;
pub mod cleanup;
pub mod command;
pub mod control_plane;
pub mod demonstration;
pub mod description;
pub mod folders;
pub mod guest;
pub mod image;
pub mod images;
pub mod install;
pub mod interrupt;
pub mod janitor;
pub mod kernel_log;
pub mod kubeconfig;
pub mod kubectl;
pub mod node;
pub mod ports;
pub mod process_id;
pub mod processes;
pub mod progress;
pub mod recorded;
pub mod routes;
pub mod service;
pub mod state;
pub mod static_programs;
pub mod testbed;
pub mod tools;
pub mod wait;
