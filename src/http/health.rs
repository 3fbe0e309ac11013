//! `GET /livez` and `GET /readyz`, for orchestrators.

use warp::reply::{self, Reply, Response};

use super::{Http, error::Error};

/// The process runs and answers.
pub(super) fn live() -> Response {
    reply::json(&serde_json::json!({"status": "live"})).into_response()
}

/// Ready when streams opened now deliver events as they commit, and tokens can be checked.
pub(super) fn ready(http: &Http) -> Response {
    if http.is_ready() && http.verifier.is_ready() {
        reply::json(&serde_json::json!({"status": "ready"})).into_response()
    } else {
        Error::NotReady.into_response()
    }
}
