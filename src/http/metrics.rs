//! `GET /metrics`: the server's figures for Prometheus. Totals only, nothing of any user or organization.

use jiff::Timestamp;
use warp::{
    http::{HeaderValue, header},
    reply::{Reply, Response},
};

use super::{Http, error::Error};
use crate::metrics::CONTENT_TYPE;

/// All figures, or nothing where they are not to be seen.
pub(super) fn show_or_hide(http: Option<&Http>) -> Response {
    http.map_or_else(|| Error::NotFound.into_response(), show)
}

/// All figures, as of now.
pub(super) fn show(http: &Http) -> Response {
    sample(http);
    let mut response = http.sessions.metrics.text().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response
}

/// Looks at what does not tell of its changes itself.
fn sample(http: &Http) {
    let metrics = &http.sessions.metrics;
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let pool = http.sessions.database.pool();
    metrics.pool_connections.set(count(pool.size));
    metrics.pool_idle.set(count(pool.available));
    metrics.pool_waiting.set(count(pool.waiting));
    metrics.pool_limit.set(count(pool.max_size));
    let log = http.sessions.log().size();
    metrics.log_bytes.set(count(log.bytes));
    metrics.log_limit_bytes.set(count(log.limit));
    metrics.log_entries.set(count(log.entries));
    match log.oldest {
        Some(oldest) => metrics.log_age_seconds.mark_ago(Timestamp::now().duration_since(oldest).unsigned_abs()),
        None => metrics.log_age_seconds.clear(),
    }
}
