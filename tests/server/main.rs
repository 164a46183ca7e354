//! Tests with real sockets: the webhook as API servers and others meet it.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod agent_kills;
#[cfg(test)]
mod agent_restart;
mod webhook;
mod webhook_answers;
mod webhook_certificate;
#[cfg(test)]
mod webhook_history;
mod webhook_limits;
mod webhook_panic;
mod webhook_shutdown;
