//! podsight on real nodes: what their kernels do, and what of it reaches users.
//!
//! Every test runs on every node: on this machine's own kernel, and on the guest's with cgroup v2. The first kills one process,
//! the second the whole container.

#[cfg(test)]
mod beside;
mod causes;
mod each;
mod evidence;
mod hand;
mod node_child_killed;
mod node_explain_online;
mod node_explained;
mod node_foresight;
mod node_forged_record;
mod node_gone;
#[cfg(test)]
mod node_history;
mod node_hostile_name;
mod node_killed;
mod node_kind;
mod node_memory_out;
mod node_predicted;
mod node_restart;
mod node_silent;
mod node_storm;
mod predicted;
mod registry;
mod storm;
mod table;
