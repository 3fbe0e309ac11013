//! Configuration → parts.

use std::{sync::Arc, time::Instant};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{App, Door, Error, migrate_at, open_files, producers::Producers};
use crate::{
    access::{
        Access,
        token::{Expected, Verifier},
    },
    config::{self, Config, MetricsAddr, Settings},
    connections::{Activity, Connections, Directory, Gate, Most},
    http::{
        self, Http, Sentry,
        accept::{self, Crowd},
        address::TrustedProxies,
        certificates::Certificates,
        credentials::Ways,
        edge::Rules,
        origin::Origins,
        turns::Turns,
    },
    integrations::sentry::{Inbox, Tags},
    metrics::Metrics,
    postgres::{self, Database, Target, connections::Limits, listener::Doorbell},
    session,
    tailer::Tailer,
};

impl App {
    /// Connects, migrates if the database is not up to date, and binds. It runs until `shutdown`.
    ///
    /// # Errors
    /// When the database cannot be reached or brought up to date, the address is taken, or a setting cannot be used.
    pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Self, Error> {
        let Config { database_url, jwt_secret, jwks_url, settings } = config;
        let room = open_files::raise_limit();
        let metrics = Arc::new(Metrics::default());
        let crowd = crowd(&settings, room, Arc::clone(&metrics));
        let expected =
            Expected { issuer: settings.tokens.jwt_issuer.clone(), audience: settings.tokens.jwt_audience.clone() };
        let verifier = Verifier::new(jwt_secret.as_deref(), jwks_url.as_deref(), expected, Arc::clone(&metrics))?;
        let (certificates, rules) = transport(&settings)?;
        let notify_url = settings.notify_database_url.as_deref().unwrap_or(&database_url);
        let notifications = Target::parse(notify_url).map_err(postgres::Error::from)?;
        let database = Database::new(&database_url, settings.database_connections.into())?;
        let producers = Producers::new(settings.producers.clone(), &database)?;
        migrate_at(if database.is_pooled().await? { notify_url } else { &database_url }).await?;
        let access = Arc::new(Access::load(database.clone(), Arc::clone(&metrics)).await?);
        let connections = Arc::<Connections>::default();
        let doorbell = Arc::new(Doorbell::new(Arc::clone(&metrics)));
        let mut tailer = Tailer::new(
            database.clone(),
            Arc::clone(&access),
            Arc::clone(&connections),
            Arc::clone(&doorbell),
            Arc::clone(&metrics),
            usize::try_from(settings.log_mib).unwrap_or(usize::MAX).saturating_mul(1 << 20),
            settings.poll,
        )
        .await?;
        // An issuer that cannot be reached now may be later; meanwhile the server is not ready.
        let ((), caught_up) = tokio::join!(verifier.prepare(), tailer.catch_up());
        caught_up?;
        let (most, of_users) = limits(&settings.limits);
        let directory =
            Directory::new(connections, database.clone(), of_users, settings.heartbeat, Arc::clone(&metrics));
        directory.announce().await?;
        let asked = &settings.producers.activity;
        let tell = || {
            Activity::new(
                directory.server(),
                asked.activity_per_second,
                Arc::clone(&access),
                database.clone(),
                Arc::clone(&metrics),
            )
        };
        let activity = asked.activity.then(|| Arc::new(tell()));
        let directory = directory.with_activity(activity.clone());
        let sessions = session::Server {
            access,
            logs: tailer.logs(),
            views: session::Views::default(),
            database,
            metrics,
            tailer: tailer.status(),
            heartbeat: settings.heartbeat,
            max_stream: settings.max_stream,
            writes_per_second: settings.limits.writes_per_second,
            shutdown: shutdown.clone(),
        };
        let http = Http {
            sessions: Arc::new(sessions),
            verifier,
            ways: ways(&settings),
            directory: Arc::new(directory),
            gate: Arc::new(Gate::new(most)),
            commands_per_minute: settings.limits.commands_per_minute,
            max_body_bytes: settings.limits.max_body_bytes,
            sentry: sentry(&settings.producers.sentry),
            started: Instant::now(),
            compresses: settings.transport.compression,
            shows_metrics: settings.metrics_addr == MetricsAddr::Same,
        };
        Ok(Self {
            door: open(&settings, certificates, rules, crowd).await?,
            tailer,
            http: Arc::new(http),
            doorbell,
            notifications: settings.poll.is_none().then_some(notifications),
            retention: settings.retention,
            producers,
            activity,
            shutdown,
        })
    }
}

/// The ways in which tokens may be brought.
fn ways(settings: &Settings) -> Ways {
    Ways {
        cookie: settings.tokens.token_cookie.clone().filter(|name| !name.is_empty()),
        url_tokens: settings.tokens.url_tokens,
        allowed_origins: settings.transport.allowed_origins.0.clone(),
    }
}

/// What takes webhooks of Sentry, where there is a secret to check them with.
fn sentry(settings: &config::Sentry) -> Option<Sentry> {
    let secret = settings.sentry_client_secret.as_deref().filter(|secret| !secret.is_empty())?;
    let tags =
        Tags { organization: settings.sentry_organization_tag.clone(), chatbot: settings.sentry_chatbot_tag.clone() };
    Some(Sentry { inbox: Inbox::new(secret, tags), turns: Arc::new(Turns::new(settings.sentry_webhooks_per_minute)) })
}

/// How many there may be: on this server, and of each user on all.
fn limits(settings: &config::Limits) -> (Most, Limits) {
    let most = Most {
        in_all: settings.max_connections,
        per_address: settings.max_connections_per_address,
        polls_per_user: settings.max_connections_per_user,
    };
    (most, Limits { per_user: settings.max_connections_per_user, per_minute: settings.connects_per_minute })
}

/// The certificates, if there are any, and what is made of requests and answers on the way.
fn transport(settings: &Settings) -> Result<(Option<Arc<Certificates>>, Rules), Error> {
    let transport = &settings.transport;
    // Each of the two settings requires the other.
    let files = transport.tls_cert.clone().zip(transport.tls_key.clone());
    let certificates = files.map(|(certificate, key)| Certificates::load(certificate, key)).transpose()?;
    let rules = Rules {
        proxies: TrustedProxies::new(transport.trusted_proxies.0.clone()),
        origins: Origins::new(&transport.allowed_origins.0),
        is_https: certificates.is_some(),
    };
    Ok((certificates.map(Arc::new), rules))
}

/// How many connections there may be, of which some say nothing. A browser keeps some open beside those of its streams.
fn crowd(settings: &Settings, room: u32, metrics: Arc<Metrics>) -> Crowd {
    let per_address = settings.limits.max_connections_per_address.saturating_mul(2);
    Crowd::new(room, per_address, settings.transport.trusted_proxies.0.clone(), metrics)
}

/// Listens.
async fn open(
    settings: &Settings,
    certificates: Option<Arc<Certificates>>,
    rules: Rules,
    crowd: Crowd,
) -> Result<Door, Error> {
    let cannot_listen = |error| Error::Listen(settings.listen_addr, error);
    let listener = http::listen(settings.listen_addr).map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    let metrics = match settings.metrics_addr {
        MetricsAddr::Same | MetricsAddr::Off => None,
        MetricsAddr::Own(own) => Some(TcpListener::bind(own).await.map_err(|error| Error::ListenMetrics(own, error))?),
    };
    let options = accept::Options {
        buffer_bytes: usize::try_from(settings.limits.max_header_bytes).unwrap_or(usize::MAX),
        crowd: Some(Arc::new(crowd)),
        ..accept::Options::default()
    };
    Ok(Door { listener, address, metrics, certificates, rules, options })
}
