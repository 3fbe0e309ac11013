//! The routes. The only place that knows warp.

pub mod accept;
mod admission;
mod commands;
mod dashboard;
mod error;
mod events;
mod health;
mod metrics;
mod stats;
mod stream;
mod tcp;
pub mod trace;
mod vanished;

use std::{sync::Arc, time::Instant};

pub use tcp::listen;
use warp::{
    Filter,
    filters::BoxedFilter,
    http::Method,
    reply::{Reply, Response},
};

use self::{
    accept::Peer,
    error::{Error, MAX_BODY},
};
use crate::{
    access::token::Verifier,
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
    /// When the server started.
    pub started: Instant,
    /// Whether the figures are at the same address as the streams.
    pub shows_metrics: bool,
}

impl Http {
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
    let address = warp::ext::get::<Peer>().map(|Peer(peer)| peer.ip());
    let stream = warp::path!("api" / "v1" / "realtime" / "sse")
        .and(warp::get())
        .and(warp::query())
        .and(warp::header::headers_cloned())
        .and(address)
        .and(with_http.clone())
        .then(stream::open);
    let commands = warp::path!("api" / "v1" / "realtime" / "sse")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::bytes())
        .and(with_http.clone())
        .then(commands::obey);
    let stats = warp::path!("api" / "v1" / "realtime" / "stats")
        .and(warp::get())
        .and(warp::query())
        .and(warp::header::headers_cloned())
        .and(with_http.clone())
        .then(stats::show);
    let events = warp::path!("api" / "v1" / "realtime" / "events")
        .and(warp::get())
        .and(warp::query())
        .and(warp::header::headers_cloned())
        .and(address)
        .and(with_http.clone())
        .then(events::poll);
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
    let streams = stream.or(commands).unify().or(events).unify().or(stats).unify();
    streams.or(probes).unify().or(dashboard).unify().recover(error::recover).unify().boxed()
}

/// The figures alone, for an address of their own.
#[must_use]
pub fn metrics_routes(http: &Arc<Http>) -> BoxedFilter<(Response,)> {
    let http = Arc::clone(http);
    let metrics = warp::path!("metrics").and(warp::get().or(warp::head()).unify()).map(move || metrics::show(&http));
    metrics.recover(error::recover).unify().boxed()
}
