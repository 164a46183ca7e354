//! Tests with real sockets: the webhook as API servers and others meet it.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod agent_kills;
#[cfg(test)]
mod agent_restart;
#[cfg(test)]
mod cluster_objects;
mod webhook;
mod webhook_answers;
mod webhook_certificate;
#[cfg(test)]
mod webhook_events;
#[cfg(test)]
mod webhook_history;
mod webhook_hostile;
mod webhook_limits;
#[cfg(test)]
mod webhook_own_certificate;
mod webhook_panic;
#[cfg(test)]
mod webhook_reports;
#[cfg(test)]
mod webhook_self_check;
mod webhook_shutdown;
#[cfg(test)]
mod webhook_watches;
