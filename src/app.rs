//! The wiring, all of it: configuration → parts → running server.

mod open_files;
mod tasks;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::tasks::Tasks;
use crate::{
    access::{Access, token::Verifier},
    config::Config,
    http::{self, Http, accept},
    maintenance,
    postgres::{
        self, Database,
        listener::{self, Doorbell},
        mend_sequence, migrate,
    },
    session,
    tailer::Tailer,
};

/// Grants are read again this often even if nothing says that they changed: TRUNCATE of a table that is not ours, disabled triggers and views that depend on
/// the time tell nobody.
const ACCESS_REFRESH: Duration = Duration::from_mins(1);

/// A server that is ready to run: connected, migrated, bound to its address.
pub struct App {
    listener: TcpListener,
    address: SocketAddr,
    tailer: Tailer,
    http: Arc<Http>,
    doorbell: Arc<Doorbell>,
    notifications: tokio_postgres::Config,
    retention: Option<String>,
    shutdown: CancellationToken,
}

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Database(#[from] postgres::Error),
    /// The secret.
    #[error("ROWCAST_JWT_SECRET: {0}")]
    Secret(crate::access::token::Error),
    /// The address.
    #[error("cannot listen on {0}; --listen-addr or ROWCAST_LISTEN_ADDR takes another address, such as 127.0.0.1:8081")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// A part of the server is gone.
    #[error("the {0} ended before the server did")]
    Task(&'static str),
}

impl App {
    /// Connects, migrates if the database is not up to date, and binds. It runs until `shutdown`.
    ///
    /// # Errors
    /// When the database cannot be reached or brought up to date, the address is taken, or a setting cannot be used.
    pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Self, Error> {
        let Config { database_url, jwt_secret, settings } = config;
        open_files::raise_limit();
        let verifier =
            Verifier::with_secret(&jwt_secret, settings.jwt_issuer.as_deref(), settings.jwt_audience.as_deref())
                .map_err(Error::Secret)?;
        let notify_url = settings.notify_database_url.as_deref().unwrap_or(&database_url);
        let notifications = postgres::connection_config(notify_url)?;
        migrate_at(&database_url).await?;
        let database = Database::new(&database_url, settings.database_connections.into())?;
        let access = Arc::new(Access::load(database.clone()).await?);
        let doorbell = Arc::new(Doorbell::default());
        let log_bytes = usize::try_from(settings.log_mib).unwrap_or(usize::MAX).saturating_mul(1 << 20);
        let mut tailer = Tailer::new(database.clone(), Arc::clone(&access), Arc::clone(&doorbell), log_bytes).await?;
        tailer.catch_up().await?;
        let cannot_listen = |error| Error::Listen(settings.listen_addr, error);
        let listener = TcpListener::bind(settings.listen_addr).await.map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let sessions = Arc::new(session::Server {
            access,
            logs: tailer.logs(),
            database,
            tailer: tailer.status(),
            heartbeat: settings.heartbeat,
            max_stream: settings.max_stream,
            replays: session::Replays::default(),
            shutdown: shutdown.clone(),
        });
        let http = Arc::new(Http { sessions, verifier });
        let retention = settings.retention;
        Ok(Self { listener, address, tailer, http, doorbell, notifications, retention, shutdown })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often grants or the policy were read, and what history has cost.
    #[must_use]
    pub fn work(&self) -> Work {
        Work { sessions: Arc::clone(&self.http.sessions) }
    }

    /// Serves until shutdown, then lets every stream say goodbye.
    ///
    /// # Errors
    /// When it had to stop because a part of it had ended.
    pub async fn run(self) -> Result<(), Error> {
        let Self { listener, tailer, http, doorbell, notifications, retention, shutdown, .. } = self;
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("listener", listener::listen(notifications, doorbell, shutdown.clone()));
        tasks.spawn("tailer", tailer.run(shutdown.clone()));
        tasks.spawn("maintenance", maintenance::run(http.sessions.database.clone(), retention, shutdown.clone()));
        tasks.spawn("refreshing of grants", refresh_access(Arc::clone(&http.sessions.access), shutdown.clone()));
        let service = TowerToHyperService::new(warp::service(http::routes(&http)));
        let serving = accept::serve(listener, service, accept::Options::default(), shutdown);
        let (early, ()) = tokio::join!(tasks.ended(), serving);
        info!("stopped");
        early.map_or(Ok(()), |task| Err(Error::Task(task)))
    }
}

/// What a server has asked of its database, but for the tailing.
pub struct Work {
    sessions: Arc<session::Server>,
}

impl Work {
    /// Queries of grants and of the policy.
    #[must_use]
    pub fn access_queries(&self) -> u64 {
        self.sessions.access.queries()
    }

    /// Clients that had to be served from the outbox.
    #[must_use]
    pub fn replays(&self) -> u64 {
        self.sessions.replays.begun.load(Ordering::Relaxed)
    }

    /// Pages of the outbox that were read for them.
    #[must_use]
    pub fn history_pages(&self) -> u64 {
        self.sessions.replays.pages.load(Ordering::Relaxed)
    }
}

/// Brings the database at `url` up to date, over a connection of its own.
///
/// # Errors
/// When it cannot be reached, or [`migrate`] fails.
pub async fn migrate_at(url: &str) -> Result<postgres::Migrated, postgres::Error> {
    let migrated = with_client(url, async |client| migrate(client).await).await;
    if let Ok(migrated) = &migrated
        && migrated.functions
    {
        info!(migrations = ?migrated.migrations, "the database was brought up to date");
    }
    migrated
}

/// Moves the sequence of outbox ids in the database at `url` past the rows that are there. Returns the id it was moved to, if that was necessary.
///
/// # Errors
/// When the database cannot be reached, or [`mend_sequence`] fails.
pub async fn mend_sequence_at(url: &str) -> Result<Option<i64>, postgres::Error> {
    with_client(url, async |client| mend_sequence(client).await).await
}

/// Over a connection of its own, which has ended when this returns.
async fn with_client<T>(
    url: &str,
    task: impl AsyncFnOnce(&mut Client) -> Result<T, postgres::Error>,
) -> Result<T, postgres::Error> {
    let (mut client, connection) = postgres::connection_config(url)?.connect(NoTls).await?;
    let driver = tokio::spawn(connection);
    let outcome = task(&mut client).await;
    drop(client);
    // The connection ends because its client did; how it ended is of no interest any more.
    let _ = driver.await;
    outcome
}

async fn refresh_access(access: Arc<Access>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(ACCESS_REFRESH) => {}
        }
        if let Err(error) = access.refresh_all().await {
            warn!(%error, "grants could not be read again");
        }
    }
}
