//! The webhook's own certificate, on a real API server: replicas as programs beside it, with the rights that deploy/base gives them and
//! no other, and in front of them what a Service is to pods.

mod e2e_healing;
mod e2e_renewal;
mod e2e_rights;
mod front;
mod installation;
mod load;
