//! A migrated database of its own for each test, on one throwaway Postgres for all.

use std::{path::PathBuf, sync::OnceLock, thread};

use rowcast::{
    postgres::migrate,
    private_postgres::{Options, PrivatePostgres},
};
use tokio::{runtime::Runtime, sync::oneshot};
use tokio_postgres::{Client, NoTls};

const TEMPLATE: &str = "template_rowcast";

/// The cluster; its own supervisor takes it down when this process ends.
static POSTGRES: OnceLock<PrivatePostgres> = OnceLock::new();

/// A database with nothing in it but rowcast.
pub(crate) struct Database {
    name: String,
}

impl Database {
    pub(crate) async fn new() -> Self {
        let (sender, receiver) = oneshot::channel();
        // On a thread of its own: the cluster outlives the runtime of the test that happens to come first.
        thread::spawn(|| {
            POSTGRES.get_or_init(|| Runtime::new().unwrap().block_on(start()));
            sender.send(()).unwrap();
        });
        receiver.await.unwrap();
        let name = format!("test_{:016x}", fastrand::u64(..));
        let maintenance = connect_to("postgres").await;
        maintenance.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await.unwrap();
        Self { name }
    }

    /// As the superuser, who has also migrated.
    pub(crate) async fn connect(&self) -> Client {
        connect_to(&self.name).await
    }

    pub(crate) fn url(&self) -> String {
        POSTGRES.get().unwrap().url(&self.name)
    }
}

async fn start() -> PrivatePostgres {
    let postgres = PrivatePostgres::start(Options {
        directory: std::env::temp_dir().join(format!("rowcast-it-{:016x}", fastrand::u64(..))),
        embedded: PathBuf::from(".rowcast/embedded"),
        binaries: std::env::var_os("ROWCAST_POSTGRES_BIN").map(Into::into),
        throwaway: true,
        settings: vec![("max_connections".into(), "200".into())],
    })
    .await
    .unwrap();
    let (maintenance, connection) = tokio_postgres::connect(&postgres.url("postgres"), NoTls).await.unwrap();
    tokio::spawn(connection);
    maintenance.batch_execute(&format!("CREATE DATABASE {TEMPLATE}")).await.unwrap();
    let (mut client, connection) = tokio_postgres::connect(&postgres.url(TEMPLATE), NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    migrate(&mut client).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    postgres
}

async fn connect_to(database: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&POSTGRES.get().unwrap().url(database), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
