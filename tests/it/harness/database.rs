//! A migrated database of its own for each test: a copy of the template, gone when the test is.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::Client;

use super::cluster::Cluster;
use super::{GLANCE, PATIENCE, Place};

/// How many databases there are at a time. Each brings a server or two and dozens of sessions.
static PLACES: Semaphore = Semaphore::const_new(16);

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// Servers under test call themselves this, and a number.
pub(super) const SERVER_NAME: &str = "server";

/// Whom a test connects as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// For what only a DBA can do.
    Superuser,
    /// Owns the database, has migrated it.
    Owner,
    /// In `rowcast_server`: what `rowcast serve` connects as.
    Server,
    /// In `rowcast_writer`: owns the app's tables.
    Writer,
    /// Writes the app's rows; has no rights on rowcast at all.
    App,
    /// In `rowcast_reader`.
    Reader,
}

impl Role {
    /// Its name in the cluster.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Superuser => "postgres",
            Self::Owner => "rowcast_test_owner",
            Self::Server => "rowcast_test_server",
            Self::Writer => "rowcast_test_writer",
            Self::App => "rowcast_test_app",
            Self::Reader => "rowcast_test_reader",
        }
    }
}

/// A database that only this test uses.
pub(crate) struct Database {
    cluster: &'static Cluster,
    name: String,
    _place: SemaphorePermit<'static>,
}

impl Database {
    /// An empty one, migrated.
    pub(crate) async fn new() -> Self {
        Self::on(Cluster::plain().await).await
    }

    /// One in which transactions can be prepared.
    pub(crate) async fn with_two_phase_commit() -> Self {
        Self::on(Cluster::with_two_phase_commit().await).await
    }

    async fn on(cluster: &'static Cluster) -> Self {
        let place = PLACES.acquire().await.unwrap();
        let name = format!("rowcast_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let superuser = cluster.connect(Role::Superuser, "postgres").await;
        let (template, owner) = (&cluster.template, Role::Owner.name());
        superuser.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {owner}")).await.unwrap();
        Self { cluster, name, _place: place }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Connects as the owner.
    pub(crate) async fn connect(&self) -> Client {
        self.connect_as(Role::Owner).await
    }

    /// Connects as this role.
    pub(crate) async fn connect_as(&self, role: Role) -> Client {
        self.cluster.connect(role, &self.name).await
    }

    /// The owner's URL.
    pub(crate) fn url(&self) -> String {
        self.url_as(Role::Owner)
    }

    /// This role's URL.
    pub(crate) fn url_as(&self, role: Role) -> String {
        self.cluster.url(role, &self.name)
    }
}

impl Place for Database {
    fn url_as(&self, role: Role) -> String {
        self.cluster.url(role, &self.name)
    }
}

impl Drop for Database {
    /// Drops the database, and fails the test when a server has left sessions behind in it.
    fn drop(&mut self) {
        let (cluster, name) = (self.cluster, self.name.clone());
        // On a thread of its own: the test's runtime is busy running this.
        let patience = if thread::panicking() { Duration::ZERO } else { PATIENCE };
        let leaked = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(drop_database(cluster, &name, patience))
        });
        let leaked = leaked.join();
        if !thread::panicking() {
            assert_eq!(leaked.unwrap(), 0, "servers left sessions behind in {}", self.name);
        }
    }
}

/// Returns how many sessions of servers are there, after they have had time to go.
async fn drop_database(cluster: &Cluster, name: &str, patience: Duration) -> i64 {
    let superuser = cluster.connect(Role::Superuser, "postgres").await;
    let deadline = tokio::time::Instant::now() + patience;
    let leaked = loop {
        let sessions = sessions_in(&superuser, Some(name), &format!("{SERVER_NAME}%")).await;
        if sessions == 0 || tokio::time::Instant::now() > deadline {
            break sessions;
        }
        tokio::time::sleep(GLANCE).await;
    };
    superuser.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    leaked
}

/// How many sessions there are in the client's database, by the pattern of who they say they are.
pub(super) async fn sessions(client: &Client, application_name: &str) -> i64 {
    sessions_in(client, None, application_name).await
}

async fn sessions_in(client: &Client, database: Option<&str>, application_name: &str) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = coalesce($1, current_database()) AND application_name LIKE $2";
    client.query_one(count, &[&database, &application_name]).await.unwrap().get(0)
}
