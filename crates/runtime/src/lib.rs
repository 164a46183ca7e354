//! The edges that the programs share: telemetry, metrics, admin server, TLS, shutdown, client.
