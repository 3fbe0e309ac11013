//! Everything that needs a real Postgres.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod demo;
mod harness;

/// A name for a role that no other test has: roles belong to the cluster.
fn fresh_role(purpose: &str) -> String {
    format!("{purpose}_{:016x}", fastrand::u64(..))
}
