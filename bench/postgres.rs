//! A Postgres of our own for a run.

use rowcast::{
    app::migrate_at,
    private_postgres::{Options, PrivatePostgres},
};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

/// It, and a thread that speaks with it.
pub(crate) struct Postgres {
    server: Option<PrivatePostgres>,
    pub(crate) runtime: Runtime,
    pub(crate) url: String,
}

impl Postgres {
    /// Starts it, with our schema and these further settings. It writes no log to disk at a commit, as little as the peers do: what is measured is not the disk.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = Options {
            directory: std::env::temp_dir().join(format!("rowcast-bench-{:016x}", fastrand::u64(..))),
            embedded: concat!(env!("CARGO_MANIFEST_DIR"), "/.rowcast/embedded").into(),
            binaries: std::env::var_os("ROWCAST_POSTGRES_BIN").map(Into::into),
            throwaway: true,
            settings: settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        };
        let server = runtime.block_on(PrivatePostgres::start(options)).unwrap();
        let url = server.url("postgres");
        runtime.block_on(migrate_at(&url)).unwrap();
        Self { server: Some(server), runtime, url }
    }

    /// A connection of its own.
    pub(crate) fn connect(&self) -> Client {
        self.runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop()).unwrap();
        }
    }
}
