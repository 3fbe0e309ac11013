//! The wiring, all of it: configuration → parts → running server.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use crate::{
    access::{Access, token::Verifier},
    config::{Config, MetricsAddr},
    http::{self, Http, accept, trace::Traced},
    metrics::Metrics,
    postgres::{
        self, Database,
        listener::{self, Doorbell},
        migrate,
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
    metrics_listener: Option<TcpListener>,
    tailer: Tailer,
    http: Arc<Http>,
    doorbell: Arc<Doorbell>,
    notifications: tokio_postgres::Config,
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
    /// The address of the figures.
    #[error(
        "cannot listen on {0}; --metrics-addr or ROWCAST_METRICS_ADDR takes another address, such as 127.0.0.1:9187, same, or off"
    )]
    ListenMetrics(SocketAddr, #[source] std::io::Error),
}

impl App {
    /// Connects, migrates if the database is not up to date, and binds. It runs until `shutdown`.
    ///
    /// # Errors
    /// When the database cannot be reached or brought up to date, the address is taken, or a setting cannot be used.
    pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Self, Error> {
        let Config { database_url, jwt_secret, settings } = config;
        let verifier =
            Verifier::with_secret(&jwt_secret, settings.jwt_issuer.as_deref(), settings.jwt_audience.as_deref())
                .map_err(Error::Secret)?;
        let notify_url = settings.notify_database_url.as_deref().unwrap_or(&database_url);
        let notifications = postgres::connection_config(notify_url)?;
        let database = Database::new(&database_url, settings.database_connections.into())?;
        migrate_at(if database.is_pooled().await? { notify_url } else { &database_url }).await?;
        let metrics = Arc::new(Metrics::default());
        let access = Arc::new(Access::load(database.clone(), Arc::clone(&metrics)).await?);
        let doorbell = Arc::new(Doorbell::new(Arc::clone(&metrics)));
        let log_bytes = usize::try_from(settings.log_mib).unwrap_or(usize::MAX).saturating_mul(1 << 20);
        let bell = Arc::clone(&doorbell);
        let mut tailer =
            Tailer::new(database.clone(), Arc::clone(&access), bell, Arc::clone(&metrics), log_bytes).await?;
        tailer.catch_up().await?;
        let cannot_listen = |error| Error::Listen(settings.listen_addr, error);
        let listener = TcpListener::bind(settings.listen_addr).await.map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let metrics_listener = match settings.metrics_addr {
            MetricsAddr::Same | MetricsAddr::Off => None,
            MetricsAddr::Own(own) => {
                Some(TcpListener::bind(own).await.map_err(|error| Error::ListenMetrics(own, error))?)
            }
        };
        let sessions = Arc::new(session::Server {
            access,
            log: tailer.log(),
            database,
            metrics,
            tailer: tailer.status(),
            heartbeat: settings.heartbeat,
            shutdown: shutdown.clone(),
        });
        let http = Arc::new(Http { sessions, verifier, shows_metrics: settings.metrics_addr == MetricsAddr::Same });
        Ok(Self { listener, address, metrics_listener, tailer, http, doorbell, notifications, shutdown })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until shutdown, then lets every stream say goodbye.
    pub async fn run(self) {
        let Self { listener, metrics_listener, tailer, http, doorbell, notifications, shutdown, .. } = self;
        let database = http.sessions.database.clone();
        let tasks = TaskTracker::new();
        tasks.spawn(listener::listen(notifications, database, listener::PULSE, doorbell, shutdown.clone()));
        tasks.spawn(tailer.run(shutdown.clone()));
        tasks.spawn(refresh_access(Arc::clone(&http.sessions.access), shutdown.clone()));
        if let Some(listener) = metrics_listener {
            let service = TowerToHyperService::new(warp::service(http::metrics_routes(&http)));
            tasks.spawn(accept::serve(listener, service, accept::Options::default(), shutdown.clone()));
        }
        tasks.close();
        let service = TowerToHyperService::new(warp::service(http::routes(&http)));
        let service = Traced::new(service, Arc::clone(&http.sessions.metrics));
        accept::serve(listener, service, accept::Options::default(), shutdown).await;
        tasks.wait().await;
        info!("stopped");
    }
}

/// Brings the database at `url` up to date, over a connection of its own.
///
/// # Errors
/// When it cannot be reached, or [`migrate`] fails.
pub async fn migrate_at(url: &str) -> Result<postgres::Migrated, postgres::Error> {
    let config = postgres::connection_config(url)?;
    let (mut client, connection) = config.connect(tokio_postgres::NoTls).await?;
    let driver = tokio::spawn(connection);
    let migrated = migrate(&mut client, &config).await;
    drop(client);
    // The connection ends because its client did; how it ended is of no interest any more.
    let _ = driver.await;
    if let Ok(migrated) = &migrated
        && migrated.functions
    {
        info!(migrations = ?migrated.migrations, "the database was brought up to date");
    }
    migrated
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
