//! The wiring, all of it: configuration → parts → running server.

mod database;
mod health;
mod open_files;
mod producers;
mod start;
mod tasks;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use self::database::{mend_sequence_at, migrate_at};
use self::{producers::Producers, tasks::Tasks};
use crate::{
    access::{Access, token::Misconfigured},
    connections::Activity,
    http::{
        self, Http, accept,
        certificates::{self, Certificates},
        edge::{Edge, Rules},
        tls,
        trace::Traced,
    },
    integrations::health::Misconfigured as Unwatchable,
    maintenance,
    metrics::Metrics,
    postgres::{
        self, Target,
        listener::{self, Doorbell},
    },
    tailer::Tailer,
};

/// Grants are read again this often even if nothing says that they changed: TRUNCATE of a table that is not ours, disabled triggers and views that depend on
/// the time tell nobody.
const ACCESS_REFRESH: Duration = Duration::from_mins(1);

/// A server that is ready to run: connected, migrated, bound to its address.
pub struct App {
    door: Door,
    tailer: Tailer,
    http: Arc<Http>,
    doorbell: Arc<Doorbell>,
    /// None where the tailer polls.
    notifications: Option<Target>,
    retention: Option<String>,
    producers: Producers,
    /// Tells what users do with their streams, if that is asked for.
    activity: Option<Arc<Activity>>,
    shutdown: CancellationToken,
}

/// Where requests come in, and what is made of them before they reach the routes.
struct Door {
    listener: TcpListener,
    address: SocketAddr,
    /// Where the figures are, if they have an address of their own.
    metrics: Option<TcpListener>,
    /// None where it speaks in clear.
    certificates: Option<Arc<Certificates>>,
    rules: Rules,
    options: accept::Options,
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
    /// What is watched.
    #[error(transparent)]
    Health(#[from] Unwatchable),
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
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.door.address
    }

    /// The same as browsers write it, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.door.certificates.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.door.address)
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
        let Self { door, tailer, http, doorbell, notifications, retention, producers, activity, shutdown } = self;
        let (database, metrics) = (http.sessions.database.clone(), Arc::clone(&http.sessions.metrics));
        let mut tasks = Tasks::new(shutdown.clone());
        // To the very end: streams leave the directory while they are drained.
        let drained = CancellationToken::new();
        tasks.spawn("directory", Arc::clone(&http.directory).keep(drained.clone()));
        if let Some(activity) = activity {
            tasks.spawn("telling of user activity", activity.keep(drained.clone()));
        }
        if let Some(target) = notifications {
            let database = database.clone();
            let listening = listener::listen(target, database, listener::PULSE, doorbell, shutdown.clone());
            tasks.spawn("listener", listening);
        }
        tasks.spawn("tailer", tailer.run(shutdown.clone()));
        producers.spawn(http.directory.server(), &database, &metrics, &mut tasks, &shutdown);
        tasks.spawn("maintenance", maintenance::run(database, retention, metrics, shutdown.clone()));
        tasks.spawn("refreshing of grants", refresh_access(Arc::clone(&http.sessions.access), shutdown.clone()));
        tasks.spawn("refreshing of keys", keep_keys_fresh(Arc::clone(&http), shutdown.clone()));
        let serving = door.serve(&http, &mut tasks, shutdown);
        let serving = async {
            serving.await;
            drained.cancel();
        };
        let (early, ()) = tokio::join!(tasks.ended(), serving);
        info!("stopped");
        early.map_or(Ok(()), |task| Err(Error::Task(task)))
    }
}

impl Door {
    /// Serves until shutdown and the end of the last connection. What goes on beside that is among the tasks.
    fn serve(
        self,
        http: &Arc<Http>,
        tasks: &mut Tasks,
        shutdown: CancellationToken,
    ) -> impl Future<Output = ()> + use<> {
        let Self { listener, metrics, certificates, rules, options, .. } = self;
        if let Some(listener) = metrics {
            let service = TowerToHyperService::new(warp::service(http::metrics_routes(http)));
            let service = Edge::new(service, Rules::default());
            let options = accept::Options { crowd: None, ..options.clone() };
            tasks.spawn("serving of metrics", accept::serve(listener, service, options, shutdown.clone()));
        }
        if let Some(certificates) = &certificates {
            tasks.spawn("watching of certificates", Arc::clone(certificates).watch(shutdown.clone()));
        }
        let service = TowerToHyperService::new(warp::service(http::routes(http)));
        let service = Traced::new(Edge::new(service, rules), Arc::clone(&http.sessions.metrics));
        async move {
            match certificates {
                None => accept::serve(listener, service, options, shutdown).await,
                Some(certificates) => {
                    accept::serve(tls::Listener::new(listener, certificates), service, options, shutdown).await;
                }
            }
        }
    }
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
