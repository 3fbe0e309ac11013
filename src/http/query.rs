//! What is read of a query string. warp's own filter tells its log of each that it cannot read, whole; ours may have tokens in them.

use serde::de::DeserializeOwned;
use warp::{Filter, Rejection, reject};

/// The query string cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable;

impl reject::Reject for Unreadable {}

/// The parameters; absent ones where there is no query.
pub(super) fn query<T: DeserializeOwned + Send + 'static>()
-> impl Filter<Extract = (T,), Error = Rejection> + Clone + Send + Sync + 'static {
    let raw = warp::query::raw().or(warp::any().map(String::new)).unify();
    raw.and_then(async |text: String| serde_urlencoded::from_str(&text).map_err(|_| reject::custom(Unreadable)))
}
