//! The routes. The only place that knows warp.

pub mod accept;
pub mod address;
mod admission;
pub mod answers;
mod body;
pub mod certificates;
pub mod code;
mod commands;
pub mod credentials;
mod dashboard;
pub mod edge;
mod encoding;
mod error;
mod events;
mod explain;
mod health;
mod metrics;
pub mod origin;
mod query;
mod security;
mod sentry;
mod stats;
mod stream;
mod tcp;
mod ticket;
pub mod tls;
pub mod trace;
pub mod turns;
mod vanished;

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    time::Instant,
};

pub use sentry::Sentry;
pub use tcp::listen;
use warp::{
    Filter, Rejection,
    filters::BoxedFilter,
    http::Method,
    reject,
    reply::{Reply, Response},
};

use self::{address::ClientAddress, body::body, credentials::Ways, error::Error, query::query};
use crate::{
    access::token::{Identity, Verifier},
    connections::{Directory, Gate},
    session, tailer,
};

/// What the routes need.
pub struct Http {
    /// What every stream needs.
    pub sessions: Arc<session::Server>,
    /// Checks tokens.
    pub verifier: Verifier,
    /// The streams of all servers.
    pub directory: Arc<Directory>,
    /// How many may be connected here.
    pub gate: Arc<Gate>,
    /// How much one user may ask of open streams in a minute.
    pub commands_per_minute: u32,
    /// The most bytes of a body.
    pub max_body_bytes: u32,
    /// What comes from Sentry; none where it may not.
    pub sentry: Option<Sentry>,
    /// When the server started.
    pub started: Instant,
    /// The ways to bring them.
    pub ways: Ways,
    /// Whether streams are compressed for those who take it.
    pub compresses: bool,
    /// Whether the figures are at the same address as the streams.
    pub shows_metrics: bool,
}

impl Http {
    /// Whether a user may ask for one thing more.
    async fn take_turn(&self, identity: &Identity) -> Result<(), Error> {
        let wait = self.directory.take_turn(&identity.user_id, "command", self.commands_per_minute).await?;
        wait.map_or(Ok(()), |wait| Err(Error::TooFast(wait)))
    }

    /// The answer to a request that is refused.
    fn refuse(&self, error: Error) -> Response {
        error.refused().inspect(|reason| self.sessions.metrics.refused(reason));
        error.into_response()
    }

    fn is_ready(&self) -> bool {
        *self.sessions.tailer.borrow() == tailer::Status::Live && !self.sessions.shutdown.is_cancelled()
    }
}

/// All routes. Never rejects: what no route takes is answered with an error.
#[must_use]
pub fn routes(http: &Arc<Http>) -> BoxedFilter<(Response,)> {
    let with_http = {
        let http = Arc::clone(http);
        warp::any().map(move || Arc::clone(&http))
    };
    let address = warp::ext::get::<ClientAddress>().map(|client: ClientAddress| client.bucket());
    let headers = warp::header::headers_cloned();
    let sse = warp::path!("api" / "v1" / "realtime" / "sse");
    let stream = sse
        .and(warp::get())
        .and(query())
        .and(headers)
        .and(address)
        .and(with_http.clone())
        .then(stream::open)
        .or(sse
            .and(warp::post())
            .and(headers)
            .and(body(http.max_body_bytes))
            .and(with_http.clone())
            .then(commands::obey))
        .unify()
        .or(sse.and(other_methods("GET, POST")))
        .unify();
    let events = warp::path!("api" / "v1" / "realtime" / "events");
    let events = events
        .and(warp::get())
        .and(query())
        .and(headers)
        .and(address)
        .and(with_http.clone())
        .then(events::poll)
        .or(events.and(other_methods("GET")))
        .unify();
    let stats = warp::path!("api" / "v1" / "realtime" / "stats");
    let stats = stats
        .and(warp::get())
        .and(query())
        .and(headers)
        .and(with_http.clone())
        .then(stats::show)
        .or(stats.and(other_methods("GET")))
        .unify();
    let explain = warp::path!("api" / "v1" / "realtime" / "explain");
    let explain = explain
        .and(warp::get())
        .and(query())
        .and(headers)
        .and(with_http.clone())
        .then(explain::answer)
        .or(explain.and(other_methods("GET")))
        .unify();
    let ticket = warp::path!("api" / "v1" / "realtime" / "ticket");
    let ticket = ticket
        .and(warp::post())
        .and(headers)
        .and(with_http.clone())
        .then(ticket::issue)
        .or(ticket.and(other_methods("POST")))
        .unify();
    let sentry = warp::path!("api" / "v1" / "integrations" / "sentry").and(sentry::is_on(http));
    let sentry = sentry
        .clone()
        .and(warp::post())
        .and(sentry::turn(http))
        .and(headers)
        .and(body(sentry::MOST_BYTES))
        .and(with_http.clone())
        .then(sentry::receive)
        .or(sentry.and(other_methods("POST")))
        .unify();
    let api = stream.or(events).unify().or(stats).unify().or(explain).unify().or(ticket).unify().or(sentry).unify();
    // Load balancers like to probe with HEAD.
    let get_or_head = warp::get().or(warp::head()).unify();
    let live = warp::path!("livez").and(get_or_head).map(health::live);
    let ready = warp::path!("readyz").and(get_or_head).and(with_http).map(|http: Arc<Http>| health::ready(&http));
    let figures = http.shows_metrics.then(|| Arc::clone(http));
    let metrics = warp::path!("metrics").and(get_or_head).map(move || metrics::show_or_hide(figures.as_deref()));
    // CONNECT names an authority instead of a path, and taking the tail of no path panics.
    let with_path = warp::method().and_then(async |method| match method {
        Method::CONNECT => Err(warp::reject::not_found()),
        method => Ok(method),
    });
    let dashboard = with_path.and(warp::path::tail()).and_then(dashboard::file);
    let probes = live.or(ready).unify().or(metrics).unify();
    api.or(probes).unify().or(dashboard).unify().recover(refusing(http)).unify().boxed()
}

/// Answers what no route took.
fn refusing(http: &Arc<Http>) -> impl Fn(Rejection) -> Ready<Result<Response, Infallible>> + Clone + use<> {
    let http = Arc::clone(http);
    move |rejection| ready(Ok(http.refuse(error::why(&rejection))))
}

/// What is said to a method that a path does not have. Those that it has were refused for another reason, which is not lost.
fn other_methods(allowed: &'static str) -> impl Filter<Extract = (Response,), Error = Rejection> + Copy {
    warp::method().and_then(move |method: Method| {
        let is_allowed = allowed.split(", ").any(|allowed| method == *allowed);
        ready(if is_allowed { Err(reject::not_found()) } else { Ok(Error::Method(allowed).into_response()) })
    })
}

/// The figures alone, for an address of their own.
#[must_use]
pub fn metrics_routes(http: &Arc<Http>) -> BoxedFilter<(Response,)> {
    let shown = Arc::clone(http);
    let metrics = warp::path!("metrics").and(warp::get().or(warp::head()).unify()).map(move || metrics::show(&shown));
    metrics.recover(refusing(http)).unify().boxed()
}
