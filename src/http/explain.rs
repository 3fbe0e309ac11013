//! `GET /api/v1/realtime/explain`: why the user who asks sees an event.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::time::{Instant, sleep_until};
use warp::{
    http::{HeaderMap, HeaderValue, header},
    reply::{Reply, Response},
};

use super::{
    Http,
    credentials::{InQuery, identify},
    error::Error,
};
use crate::postgres::explain;

/// Finding out that an event is not for somebody takes longer than that it does not exist. Both are told at the next multiple of this, which is more than
/// either takes, so that nobody learns by a clock which of the two it was.
const REFUSAL: Duration = Duration::from_millis(100);

/// The parameters.
#[derive(Deserialize)]
pub(super) struct Query {
    event: Option<String>,
}

/// Tells why.
pub(super) async fn answer(query: Query, headers: HeaderMap, http: Arc<Http>) -> Response {
    try_answer(&query, &headers, &http).await.unwrap_or_else(|error| http.refuse(error))
}

async fn try_answer(query: &Query, headers: &HeaderMap, http: &Http) -> Result<Response, Error> {
    let identity = identify(http, headers, &InQuery::default()).await?;
    let event_id = query.event.as_deref().and_then(id).ok_or(Error::Event)?;
    if !http.is_ready() {
        return Err(Error::NotReady);
    }
    http.take_turn(&identity).await?;
    let asked = Instant::now();
    // The connection goes back before anybody waits.
    let explanation = {
        let connection = http.sessions.database.connection().await?;
        explain::to_user(&connection, &identity.user_id, event_id).await?
    };
    let Some(data) = explanation else {
        sleep_until(asked + told_after(asked.elapsed())).await;
        return Err(Error::NoEvent);
    };
    let mut response = format!("{{\"success\":true,\"data\":{data}}}").into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// An outbox id: decimal digits, and nothing else.
fn id(text: &str) -> Option<i64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|id| is_plain && *id > 0)
}

/// When a refusal that took this long is told.
fn told_after(took: Duration) -> Duration {
    let multiples = took.as_nanos().div_ceil(REFUSAL.as_nanos()).max(1);
    REFUSAL * u32::try_from(multiples).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_digits() {
        assert_eq!(["1", "0007", "9223372036854775807"].map(id), [Some(1), Some(7), Some(i64::MAX)]);
        for other in ["", "0", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "9223372036854775808", "1047~1040", "١"] {
            assert_eq!(id(other), None, "{other}");
        }
    }

    #[test]
    fn refusals_are_told_at_multiples() {
        for (took, told) in [(0, 100), (1, 100), (99, 100), (100, 100), (101, 200), (1_050, 1_100)] {
            assert_eq!(told_after(Duration::from_millis(took)), Duration::from_millis(told));
        }
    }
}
