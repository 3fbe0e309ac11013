//! Everything that needs a real Postgres or the real program: one binary, one cluster, one database for each test.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and tells what it has seen"
)]

mod access;
mod capture;
mod demo;
mod doorbell;
mod faults;
mod harness;
mod journey;
mod listener;
mod outage;
mod pool;
mod poolers;
mod private_postgres;
mod proxy;
mod stream;
mod tailer;

/// A name for a role that no other test has: roles belong to the cluster.
fn fresh_role(purpose: &str) -> String {
    format!("{purpose}_{:016x}", fastrand::u64(..))
}
