//! Everything that needs a real Postgres or the real program: one binary, one cluster, one database for each test.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and tells what it has seen"
)]

mod access;
mod activity;
mod aggregation;
mod alerts;
mod attacks;
mod audiences;
mod capture;
mod commands;
mod compression;
mod connections;
mod cookies;
mod cors;
mod demo;
mod doctor;
mod documents;
mod doorbell;
mod drain;
mod epochs;
mod explain;
mod faults;
mod harness;
mod health;
mod hostile;
mod integrations_document;
mod journey;
mod lambda;
mod listener;
mod longpoll;
mod metrics;
#[cfg(feature = "otel")]
mod otel;
mod outage;
mod pool;
mod poolers;
#[cfg(target_os = "linux")]
mod postgres_tls;
mod presets;
mod private_postgres;
mod proxies;
mod proxy;
mod refusals;
mod retention;
mod roles;
mod security_headers;
mod sentry;
mod startup;
mod storm;
mod stream;
mod stream_access;
mod tailer;
mod tickets;
mod tls;
mod tokens;
mod upgrades;

/// A name for a role that no other test has: roles belong to the cluster.
fn fresh_role(purpose: &str) -> String {
    format!("{purpose}_{:016x}", fastrand::u64(..))
}
