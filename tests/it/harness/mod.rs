//! What the tests stand on: a Postgres, a database for each test, the real program, and a client that sees the bytes.
//!
//! Settings, all optional:
//! - `ROWCAST_TEST_POSTGRES_BIN`: the programs of the Postgres to test on, or `npm` for the one from npm.
//! - `ROWCAST_TEST_DATABASE_URL`: a superuser's URL of a running server to test on instead.
#![allow(dead_code, unused_imports, reason = "the harness offers what tests may need, whichever of them are there")]

mod authority;
mod cluster;
mod database;
pub(crate) mod doorbell;
mod issuer;
pub(crate) mod load;
pub(crate) mod oracle;
mod own_postgres;
mod pooler;
pub(crate) mod proxy;
mod server;
pub(crate) mod signer;
pub(crate) mod sse;
pub(crate) mod stepped;
pub(crate) mod tls;

use std::{process::Command, time::Duration};

use tokio_postgres::{Client, NoTls};

pub(crate) use authority::{Authority, Issued, write_private};
pub(crate) use cluster::{binaries, embedded};
pub(crate) use database::{Database, Role};
pub(crate) use issuer::{Issuer, Says};
pub(crate) use own_postgres::{OwnPostgres, Session, Shutdown, Through};
pub(crate) use pooler::Pooler;
pub(crate) use server::{Server, free_port, refused};

/// What the servers of the tests check tokens with.
pub(crate) const SECRET: &str = "for the tests of rowcast, and known to everybody";

/// How long anything may take before the test gives up on it. Generous: it is only ever waited out by a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How often to look again at something that tells nobody when it changes.
pub(crate) const GLANCE: Duration = Duration::from_millis(10);

/// A migrated database that can be connected to in several roles.
pub(crate) trait Place: Sync {
    /// This role's URL, which ends with a query that may be added to.
    fn url_as(&self, role: Role) -> String;

    /// Connects as this role.
    fn connect_as(&self, role: Role) -> impl Future<Output = Client> + Send {
        async move { connect(&self.url_as(role)).await }
    }
}

/// Connects, as somebody whom the search for leaked sessions leaves alone.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    // It ends with the client.
    tokio::spawn(connection);
    client
}

/// Sends a signal (`STOP`, `CONT`, `KILL`, …) to a process, which must be there.
pub(crate) fn signal(process: u32, signal: &str) {
    let mut kill = Command::new("sh");
    kill.args(["-c", r#"kill -s "$1" "$2""#, "sh", signal, &process.to_string()]);
    assert!(kill.status().unwrap().success(), "process {process} has gone by itself");
}

/// A token for this user, good for an hour.
pub(crate) fn token(user_id: &str) -> String {
    rowcast::access::token::sign(SECRET, user_id, Duration::from_hours(1)).unwrap()
}

/// Looks again and again until there is something to see, and fails the test when that takes too long.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let mut look = look;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            assert!(tokio::time::Instant::now() < deadline, "{caller}: waited in vain: {what}");
            tokio::time::sleep(GLANCE).await;
        }
    }
}
