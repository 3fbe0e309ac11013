//! The wiring, all of it: configuration → parts → running server.

mod open_files;
mod tasks;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::tasks::Tasks;
use crate::{
    access::{
        Access,
        token::{Expected, Misconfigured, Verifier},
    },
    config::{Config, MetricsAddr},
    connections::{self, Connections, Directory, Gate},
    http::{
        self, Http,
        accept::{self, Crowd},
        address::TrustedProxies,
        certificates::{self, Certificates},
        credentials::Ways,
        edge::{Edge, Rules},
        origin::Origins,
        tls,
        trace::Traced,
    },
    maintenance,
    metrics::Metrics,
    postgres::{
        self, Database, Target,
        connections::Limits,
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
    metrics_listener: Option<TcpListener>,
    /// None where it speaks in clear.
    certificates: Option<Arc<Certificates>>,
    rules: Rules,
    crowd: Arc<Crowd>,
    tailer: Tailer,
    http: Arc<Http>,
    doorbell: Arc<Doorbell>,
    /// None where the tailer polls.
    notifications: Option<Target>,
    retention: Option<String>,
    shutdown: CancellationToken,
}

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Database(#[from] postgres::Error),
    /// The secret, or the issuer's keys.
    #[error(transparent)]
    Tokens(#[from] Misconfigured),
    /// The certificate, or its key.
    #[error(transparent)]
    Certificates(#[from] certificates::Error),
    /// The address.
    #[error("cannot listen on {0}; --listen-addr or ROWCAST_LISTEN_ADDR takes another address, such as 127.0.0.1:8081")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The address of the figures.
    #[error(
        "cannot listen on {0}; --metrics-addr or ROWCAST_METRICS_ADDR takes another address, such as 127.0.0.1:9187, same, or off"
    )]
    ListenMetrics(SocketAddr, #[source] std::io::Error),
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
        let Config { database_url, jwt_secret, jwks_url, settings } = config;
        let room = open_files::raise_limit();
        let metrics = Arc::new(Metrics::default());
        let tokens = settings.tokens;
        let expected = Expected { issuer: tokens.jwt_issuer, audience: tokens.jwt_audience };
        let verifier = Verifier::new(jwt_secret.as_deref(), jwks_url.as_deref(), expected, Arc::clone(&metrics))?;
        let cookie = tokens.token_cookie.filter(|name| !name.is_empty());
        let transport = settings.transport;
        let ways = Ways { cookie, url_tokens: tokens.url_tokens, allowed_origins: transport.allowed_origins.0.clone() };
        // Each of the two settings requires the other.
        let files = transport.tls_cert.zip(transport.tls_key);
        let certificates =
            files.map(|(certificate, key)| Certificates::load(certificate, key)).transpose()?.map(Arc::new);
        // A browser keeps connections open beside those of its streams.
        let per_address = settings.limits.max_connections_per_address.saturating_mul(2);
        let crowd = Crowd::new(room, per_address, transport.trusted_proxies.0.clone(), Arc::clone(&metrics));
        let rules = Rules {
            proxies: TrustedProxies::new(transport.trusted_proxies.0),
            origins: Origins::new(&transport.allowed_origins.0),
            is_https: certificates.is_some(),
        };
        let notify_url = settings.notify_database_url.as_deref().unwrap_or(&database_url);
        let notifications = Target::parse(notify_url).map_err(postgres::Error::from)?;
        let notifications = settings.poll.is_none().then_some(notifications);
        let database = Database::new(&database_url, settings.database_connections.into())?;
        migrate_at(if database.is_pooled().await? { notify_url } else { &database_url }).await?;
        let access = Arc::new(Access::load(database.clone(), Arc::clone(&metrics)).await?);
        let limits = &settings.limits;
        let most = connections::Most {
            in_all: limits.max_connections,
            per_address: limits.max_connections_per_address,
            polls_per_user: limits.max_connections_per_user,
        };
        let of_users = Limits { per_user: limits.max_connections_per_user, per_minute: limits.connects_per_minute };
        let (connections, heartbeat) = (Arc::<Connections>::default(), settings.heartbeat);
        let directory = Arc::new(Directory::new(
            Arc::clone(&connections),
            database.clone(),
            of_users,
            heartbeat,
            Arc::clone(&metrics),
        ));
        let doorbell = Arc::new(Doorbell::new(Arc::clone(&metrics)));
        let log_bytes = usize::try_from(settings.log_mib).unwrap_or(usize::MAX).saturating_mul(1 << 20);
        let (bell, poll) = (Arc::clone(&doorbell), settings.poll);
        let mut tailer = Tailer::new(
            database.clone(),
            Arc::clone(&access),
            connections,
            bell,
            Arc::clone(&metrics),
            log_bytes,
            poll,
        )
        .await?;
        // An issuer that cannot be reached now may be later; meanwhile the server is not ready.
        let ((), caught_up) = tokio::join!(verifier.prepare(), tailer.catch_up());
        caught_up?;
        directory.announce().await?;
        let cannot_listen = |error| Error::Listen(settings.listen_addr, error);
        let listener = http::listen(settings.listen_addr).map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let metrics_listener = match settings.metrics_addr {
            MetricsAddr::Same | MetricsAddr::Off => None,
            MetricsAddr::Own(own) => {
                Some(TcpListener::bind(own).await.map_err(|error| Error::ListenMetrics(own, error))?)
            }
        };
        let sessions = Arc::new(session::Server {
            access,
            logs: tailer.logs(),
            database,
            metrics,
            tailer: tailer.status(),
            heartbeat,
            max_stream: settings.max_stream,
            writes_per_second: limits.writes_per_second,
            shutdown: shutdown.clone(),
        });
        let http = Arc::new(Http {
            sessions,
            verifier,
            ways,
            directory,
            gate: Arc::new(Gate::new(most)),
            commands_per_minute: limits.commands_per_minute,
            started: Instant::now(),
            shows_metrics: settings.metrics_addr == MetricsAddr::Same,
        });
        let retention = settings.retention;
        Ok(Self {
            listener,
            address,
            metrics_listener,
            certificates,
            rules,
            crowd: Arc::new(crowd),
            tailer,
            http,
            doorbell,
            notifications,
            retention,
            shutdown,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as browsers write it, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// What it tells of itself.
    #[must_use]
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.http.sessions.metrics)
    }

    /// Serves until shutdown, then lets every stream say goodbye.
    ///
    /// # Errors
    /// When it had to stop because a part of it had ended.
    pub async fn run(self) -> Result<(), Error> {
        let Self {
            listener,
            address: _,
            metrics_listener,
            certificates,
            rules,
            crowd,
            tailer,
            http,
            doorbell,
            notifications,
            retention,
            shutdown,
        } = self;
        let (database, metrics) = (http.sessions.database.clone(), Arc::clone(&http.sessions.metrics));
        let mut tasks = Tasks::new(shutdown.clone());
        // To the very end: streams leave the directory while they are drained.
        let drained = CancellationToken::new();
        tasks.spawn("directory", Arc::clone(&http.directory).keep(drained.clone()));
        if let Some(target) = notifications {
            let database = database.clone();
            let listening = listener::listen(target, database, listener::PULSE, doorbell, shutdown.clone());
            tasks.spawn("listener", listening);
        }
        tasks.spawn("tailer", tailer.run(shutdown.clone()));
        tasks.spawn("maintenance", maintenance::run(database, retention, metrics, shutdown.clone()));
        tasks.spawn("refreshing of grants", refresh_access(Arc::clone(&http.sessions.access), shutdown.clone()));
        tasks.spawn("refreshing of keys", keep_keys_fresh(Arc::clone(&http), shutdown.clone()));
        if let Some(listener) = metrics_listener {
            let service = TowerToHyperService::new(warp::service(http::metrics_routes(&http)));
            let service = Edge::new(service, Rules::default());
            let serving = accept::serve(listener, service, accept::Options::default(), shutdown.clone());
            tasks.spawn("serving of metrics", serving);
        }
        let service = TowerToHyperService::new(warp::service(http::routes(&http)));
        let service = Traced::new(Edge::new(service, rules), Arc::clone(&http.sessions.metrics));
        let options = accept::Options { crowd: Some(crowd), ..accept::Options::default() };
        if let Some(certificates) = &certificates {
            tasks.spawn("watching of certificates", Arc::clone(certificates).watch(shutdown.clone()));
        }
        let serving = async {
            match certificates {
                None => accept::serve(listener, service, options, shutdown).await,
                Some(certificates) => {
                    accept::serve(tls::Listener::new(listener, certificates), service, options, shutdown).await;
                }
            }
            drained.cancel();
        };
        let (early, ()) = tokio::join!(tasks.ended(), serving);
        info!("stopped");
        early.map_or(Ok(()), |task| Err(Error::Task(task)))
    }
}

/// Brings the database at `url` up to date, over a connection of its own.
///
/// # Errors
/// When it cannot be reached, or [`migrate`] fails.
pub async fn migrate_at(url: &str) -> Result<postgres::Migrated, postgres::Error> {
    let migrated = with_client(url, async |client, target| migrate(client, target).await).await;
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
    with_client(url, async |client, _| mend_sequence(client).await).await
}

/// Over a connection of its own, which has ended when this returns.
async fn with_client<T>(
    url: &str,
    task: impl AsyncFnOnce(&mut Client, &Target) -> Result<T, postgres::Error>,
) -> Result<T, postgres::Error> {
    let target = Target::parse(url)?;
    let (mut client, connection) = target.connect().await?;
    let driver = tokio::spawn(connection);
    let outcome = task(&mut client, &target).await;
    drop(client);
    // The connection ends because its client did; how it ended is of no interest any more.
    let _ = driver.await;
    outcome
}

async fn keep_keys_fresh(http: Arc<Http>, shutdown: CancellationToken) {
    http.verifier.keep_fresh(shutdown).await;
}

async fn refresh_access(access: Arc<Access>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(ACCESS_REFRESH) => {}
        }
        let Some(refreshed) = shutdown.run_until_cancelled(access.refresh_all()).await else { return };
        if let Err(error) = refreshed {
            warn!(%error, "grants could not be read again");
        }
    }
}
