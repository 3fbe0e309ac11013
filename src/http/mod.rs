//! The routes. The only place that knows warp.

pub mod accept;
mod admission;
mod dashboard;
mod error;
mod events;
mod health;
mod stream;
mod tcp;
mod vanished;

use std::sync::Arc;

use warp::{Filter, filters::BoxedFilter, reply::Response};

use crate::{access::token::Verifier, session, tailer};

/// What the routes need.
pub struct Http {
    /// What every stream needs.
    pub sessions: Arc<session::Server>,
    /// Checks tokens.
    pub verifier: Verifier,
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
    let dashboard = warp::path::tail().and(warp::method()).and_then(dashboard::file);
    stream
        .or(events)
        .unify()
        .or(live)
        .unify()
        .or(ready)
        .unify()
        .or(dashboard)
        .unify()
        .recover(error::recover)
        .unify()
        .boxed()
}
