//! The Postgres that all tests of this process share, and the template that their databases are copied from.

use std::path::PathBuf;

use rowcast::private_postgres::{Options, PrivatePostgres, install_embedded};
use tokio::sync::OnceCell;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config};

use super::{Role, connect};

static PLAIN: OnceCell<Cluster> = OnceCell::const_new();
static TWO_PHASE: OnceCell<Cluster> = OnceCell::const_new();

/// A running server with the tests' roles and a migrated template.
pub(crate) struct Cluster {
    server: Server,
    pub(crate) template: String,
}

enum Server {
    /// Gone when this process is.
    Private(PrivatePostgres),
    Given(Config),
}

impl Cluster {
    /// As Postgres comes: without two-phase commit.
    pub(crate) async fn plain() -> &'static Self {
        PLAIN.get_or_init(|| Self::start("0", std::env::var("ROWCAST_TEST_DATABASE_URL").ok())).await
    }

    /// A second one, where transactions can be prepared; always private, because that takes a server setting.
    pub(crate) async fn with_two_phase_commit() -> &'static Self {
        TWO_PHASE.get_or_init(|| Self::start("32", None)).await
    }

    async fn start(max_prepared_transactions: &str, given: Option<String>) -> Self {
        let server = match given {
            Some(url) => Server::Given(url.parse().unwrap()),
            None => Server::Private(start_private(max_prepared_transactions).await),
        };
        let cluster = Self { server, template: format!("rowcast_template_{}", std::process::id()) };
        prepare(&cluster.template, |role, database| cluster.url(role, database)).await;
        cluster
    }

    /// Where `database` is, for this role.
    pub(crate) fn url(&self, role: Role, database: &str) -> String {
        match (&self.server, role) {
            (Server::Private(postgres), Role::Superuser) => postgres.url(database),
            (Server::Private(postgres), _) => postgres.url_as(role.name(), database),
            (Server::Given(config), _) => given_url(config, role, database),
        }
    }

    /// Connects, as somebody whom the search for leaked sessions leaves alone.
    pub(crate) async fn connect(&self, role: Role, database: &str) -> Client {
        connect(&self.url(role, database)).await
    }
}

/// Makes the login roles and a database that its owner migrates as an adopter's would: without being a superuser.
pub(super) async fn prepare(database: &str, url: impl Fn(Role, &str) -> String) {
    let superuser = connect(&url(Role::Superuser, "postgres")).await;
    superuser.batch_execute(include_str!("roles.sql")).await.unwrap();
    let owner = Role::Owner.name();
    superuser.batch_execute(&format!("DROP DATABASE IF EXISTS {database}")).await.unwrap();
    superuser.batch_execute(&format!("CREATE DATABASE {database} OWNER {owner}")).await.unwrap();
    rowcast::app::migrate_at(&url(Role::Owner, database)).await.unwrap();
    let inside = connect(&url(Role::Superuser, database)).await;
    inside.batch_execute(include_str!("template.sql")).await.unwrap();
}

async fn start_private(max_prepared_transactions: &str) -> PrivatePostgres {
    let settings = [("max_connections", "500"), ("max_prepared_transactions", max_prepared_transactions)];
    let options = Options {
        directory: std::env::temp_dir().join(format!("rowcast-it-{:016x}", fastrand::u64(..))),
        embedded: embedded(),
        binaries: binaries().await,
        throwaway: true,
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    };
    PrivatePostgres::start(options).await.unwrap()
}

fn given_url(config: &Config, role: Role, database: &str) -> String {
    let host = match &config.get_hosts()[0] {
        Host::Tcp(name) => name.clone(),
        Host::Unix(directory) => directory.display().to_string(),
    };
    let port = config.get_ports().first().unwrap_or(&5432);
    let (user, password) = match role {
        Role::Superuser => (
            config.get_user().expect("ROWCAST_TEST_DATABASE_URL names no user"),
            String::from_utf8_lossy(config.get_password().unwrap_or_default()).into_owned(),
        ),
        _ => (role.name(), role.name().to_owned()),
    };
    format!("postgresql:///{database}?host={host}&port={port}&user={user}&password={password}")
}

/// Where npm's Postgres is kept from run to run.
pub(crate) fn embedded() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".rowcast/embedded")
}

/// The programs to test on; `None`: the newest on this machine.
pub(crate) async fn binaries() -> Option<PathBuf> {
    match std::env::var("ROWCAST_TEST_POSTGRES_BIN").ok()?.as_str() {
        "" => None,
        "npm" => Some(install_embedded(&embedded()).await.unwrap()),
        directory => Some(directory.into()),
    }
}
