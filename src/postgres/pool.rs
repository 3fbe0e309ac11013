//! Connections for statements: a bounded pool.

use std::{str::FromStr, time::Duration};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{Config, NoTls};

use super::Error;

/// A connection out of the pool, with its prepared statements.
pub type Connection = deadpool_postgres::Client;

/// How long to wait for a TCP connection, and for a place in the pool, before a request is told to come back later.
const PATIENCE: Duration = Duration::from_secs(5);

/// Idle connections are probed after this long, so that a firewall or a dead host is noticed in seconds, not in hours.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// The database, for statements. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
}

impl Database {
    /// Prepares a pool of at most `size` connections; none is opened yet.
    ///
    /// # Errors
    /// When the URL is not one that Postgres clients understand.
    pub fn new(url: &str, size: usize) -> Result<Self, Error> {
        let config = connection_config(url)?;
        let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move {
                    client
                        .batch_execute(include_str!("../../sql/queries/prepare_session.sql"))
                        .await
                        .map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|error| Error::Pool(error.to_string()))?;
        Ok(Self { pool })
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
        self.pool.get().await.map_err(|error| match error {
            deadpool_postgres::PoolError::Backend(error) => Error::Statement(error),
            other => Error::Pool(other.to_string()),
        })
    }
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
