//! podsight put into a real cluster, changed and taken away again, and what the cluster's users notice of it.
//! Apart from the other tests: meanwhile nothing else of podsight can be looked at. `cargo xtask test` runs it on its testbed.

mod applies;
mod cluster;
mod defaults;
mod lifecycle;
mod server_side;
