//! The routes. The only place that knows warp.

pub mod accept;
pub mod address;
mod admission;
pub mod certificates;
mod dashboard;
pub mod edge;
mod error;
mod events;
mod health;
mod metrics;
pub mod origin;
mod security;
mod stream;
mod tcp;
pub mod tls;
pub mod trace;
mod vanished;

use std::sync::Arc;

pub use tcp::listen;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use crate::{access::token::Verifier, session, tailer};

/// What the routes need.
pub struct Http {
    /// What every stream needs.
    pub sessions: Arc<session::Server>,
    /// Checks tokens.
    pub verifier: Verifier,
    /// Whether the figures are at the same address as the streams.
    pub shows_metrics: bool,
}

impl Http {
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
    let stream = warp::path!("api" / "v1" / "realtime" / "sse")
        .and(warp::get())
        .and(warp::query())
        .and(warp::header::headers_cloned())
        .and(with_http.clone())
        .then(stream::open);
    let events = warp::path!("api" / "v1" / "realtime" / "events")
        .and(warp::get())
        .and(warp::query())
        .and(warp::header::headers_cloned())
        .and(with_http.clone())
        .then(events::poll);
    // Load balancers like to probe with HEAD.
    let get_or_head = warp::get().or(warp::head()).unify();
    let live = warp::path!("livez").and(get_or_head).map(health::live);
    let ready = warp::path!("readyz").and(get_or_head).and(with_http).map(|http: Arc<Http>| health::ready(&http));
    let figures = http.shows_metrics.then(|| Arc::clone(http));
    let metrics = warp::path!("metrics").and(get_or_head).map(move || metrics::show_or_hide(figures.as_deref()));
    let dashboard = warp::path::tail().and(warp::method()).and_then(dashboard::file);
    let probes = live.or(ready).unify().or(metrics).unify();
    stream.or(events).unify().or(probes).unify().or(dashboard).unify().recover(error::recover).unify().boxed()
}

/// The figures alone, for an address of their own.
#[must_use]
pub fn metrics_routes(http: &Arc<Http>) -> BoxedFilter<(Response,)> {
    let http = Arc::clone(http);
    let metrics = warp::path!("metrics").and(warp::get().or(warp::head()).unify()).map(move || metrics::show(&http));
    metrics.recover(error::recover).unify().boxed()
}
