//! Connections for statements: a bounded pool.

use std::{pin::Pin, sync::Arc, time::Duration};

use deadpool_postgres::{Connect, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio::{sync::OnceCell, task::JoinHandle};
use tokio_postgres::{Client, Config};
use tokio_util::task::AbortOnDropHandle;
use tracing::info;

use super::{Connection, Error, Target, pooler};

/// How long to wait for a connection, for a place in the pool, and for anything that takes no time unless something is wrong.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The database, for statements. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    target: Target,
    pooled: Arc<OnceCell<bool>>,
}

impl Database {
    /// Prepares a pool of at most `size` connections; none is opened yet.
    ///
    /// # Errors
    /// When the URL is not one that Postgres' clients understand, or what it says of TLS cannot be.
    pub fn new(url: &str, size: usize) -> Result<Self, Error> {
        let target = Target::parse(url)?;
        let pooled = Arc::default();
        let connector = Connector { target: target.clone(), pooled: Arc::clone(&pooled) };
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_connect(Config::new(), connector, recycling))
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
        Ok(Self { pool, target, pooled })
    }

    /// Where it is, for connections beside the pool.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Closes those that are not in use, so that the next ones are made anew.
    pub fn forget_connections(&self) {
        // Whom it has closed is of no interest.
        let _ = self.pool.retain(|_, _| false);
    }

    /// How many connections there are, and who waits for one.
    #[must_use]
    pub fn pool(&self) -> deadpool_postgres::Status {
        self.pool.status()
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
        Ok(Connection::new(client, self.target.connector(), self.pooled.get().copied().unwrap_or_default()))
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
    target: Target,
    pooled: Arc<OnceCell<bool>>,
}

impl Connect for Connector {
    /// The target knows where to; the configuration that the pool keeps is empty.
    fn connect(
        &self,
        _: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), tokio_postgres::Error>> + Send + '_>> {
        Box::pin(async move {
            let pooled = *self.pooled.get_or_try_init(|| find_pooler(&self.target)).await?;
            let (client, connection) = self.target.connect().await?;
            // Whoever waits for a statement hears why it failed; nobody else has to. It ends with its client.
            let driver = AbortOnDropHandle::new(tokio::spawn(async move { drop(connection.await) }));
            if !pooled {
                client.batch_execute(include_str!("../../sql/queries/prepare_session.sql")).await?;
            }
            Ok((client, driver.detach()))
        })
    }
}

async fn find_pooler(target: &Target) -> Result<bool, tokio_postgres::Error> {
    let pooled = pooler::is_pooled(target).await?;
    if pooled {
        info!(
            "DATABASE_URL leads through a pooler in transaction mode: statements are sent whole each time, and settings stay as they are"
        );
    }
    Ok(pooled)
}
