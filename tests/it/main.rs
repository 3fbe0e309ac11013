//! Everything that needs a real Postgres or the real program: one binary, one cluster, one database for each test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod capture;
mod demo;
mod harness;
mod journey;
mod private_postgres;
mod stream;
mod tailer;

/// A name for a role that no other test has: roles belong to the cluster.
fn fresh_role(purpose: &str) -> String {
    format!("{purpose}_{:016x}", fastrand::u64(..))
}
