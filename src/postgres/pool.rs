//! Connections for statements: a bounded pool.

use std::{pin::Pin, str::FromStr, sync::Arc, time::Duration};

use deadpool_postgres::{Connect, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio::{sync::OnceCell, task::JoinHandle};
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::task::AbortOnDropHandle;
use tracing::info;

use super::{Connection, Error, pooler};

/// How long to wait for a connection, for a place in the pool, and for anything that takes no time unless something is wrong.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Idle connections are probed after this long, so that a firewall or a dead host is noticed in seconds, not in hours.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// The database, for statements. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    pooled: Arc<OnceCell<bool>>,
}

impl Database {
    /// Prepares a pool of at most `size` connections; none is opened yet.
    ///
    /// # Errors
    /// When the URL is not one that Postgres clients understand.
    pub fn new(url: &str, size: usize) -> Result<Self, Error> {
        let pooled = Arc::default();
        let connector = Connector { pooled: Arc::clone(&pooled) };
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_connect(connection_config(url)?, connector, recycling))
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            // Found out here, it is no warning to anybody: whoever used it has been told.
            .pre_recycle(Hook::sync_fn(
                |client, _| {
                    if client.is_closed() { Err(HookError::message("closed")) } else { Ok(()) }
                },
            ))
            .build()
            .map_err(|error| Error::Pool(error.to_string()))?;
        Ok(Self { pool, pooled })
    }

    /// Closes those that are not in use, so that the next ones are made anew.
    pub fn forget_connections(&self) {
        // Whom it has closed is of no interest.
        let _ = self.pool.retain(|_, _| false);
    }

    /// A connection out of the pool.
    ///
    /// # Errors
    /// When the database cannot be reached, or every connection is in use for too long.
    pub async fn connection(&self) -> Result<Connection, Error> {
        let client = self.pool.get().await.map_err(|error| match error {
            deadpool_postgres::PoolError::Backend(error) => Error::Statement(error),
            other => Error::Pool(other.to_string()),
        })?;
        // Known since the first connection was opened.
        Ok(Connection::new(client, self.pooled.get().copied().unwrap_or_default()))
    }

    /// Whether a pooler in transaction mode is in between; see [`pooler`].
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn is_pooled(&self) -> Result<bool, Error> {
        self.connection().await.map(|connection| connection.is_pooled())
    }
}

/// Opens connections, and finds out at the first where they lead.
struct Connector {
    pooled: Arc<OnceCell<bool>>,
}

impl Connect for Connector {
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), tokio_postgres::Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let pooled = *self.pooled.get_or_try_init(|| find_pooler(&config)).await?;
            let (client, connection) = config.connect(NoTls).await?;
            // Whoever waits for a statement hears why it failed; nobody else has to. It ends with its client.
            let driver = AbortOnDropHandle::new(tokio::spawn(async move { drop(connection.await) }));
            if !pooled {
                client.batch_execute(include_str!("../../sql/queries/prepare_session.sql")).await?;
            }
            Ok((client, driver.detach()))
        })
    }
}

async fn find_pooler(config: &Config) -> Result<bool, tokio_postgres::Error> {
    let pooled = pooler::is_pooled(config).await?;
    if pooled {
        info!(
            "DATABASE_URL leads through a pooler in transaction mode: statements are sent whole each time, and settings stay as they are"
        );
    }
    Ok(pooled)
}

/// Reads a `DATABASE_URL` and adds what every connection of ours has.
///
/// # Errors
/// When the URL is not one that Postgres clients understand.
pub fn connection_config(url: &str) -> Result<Config, Error> {
    let mut config = Config::from_str(url).map_err(Error::Url)?;
    if config.get_application_name().is_none() {
        config.application_name("rowcast");
    }
    config.connect_timeout(PATIENCE).keepalives_idle(KEEPALIVE).tcp_user_timeout(KEEPALIVE * 2);
    Ok(config)
}
