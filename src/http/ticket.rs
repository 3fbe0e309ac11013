//! `POST /api/v1/realtime/ticket`: what stands for a token in the URL of a browser's own `EventSource`.

use std::sync::Arc;

use warp::{
    http::{HeaderMap, HeaderValue, header},
    reply::{self, Reply, Response},
};

use super::{
    Http,
    answers::TicketAnswer,
    credentials::{self, InQuery},
    error::Error,
};
use crate::{access::ticket, sse::rfc3339};

/// Makes a ticket for whoever asks with a header or a cookie.
pub(super) async fn issue(headers: HeaderMap, http: Arc<Http>) -> Response {
    try_issue(&headers, &http).await.unwrap_or_else(|error| http.refuse(error))
}

async fn try_issue(headers: &HeaderMap, http: &Http) -> Result<Response, Error> {
    // A ticket must not lead to another one: it would have no end.
    let identity = credentials::identify(http, headers, &InQuery::default()).await?;
    if !http.is_ready() {
        return Err(Error::NotReady);
    }
    http.take_turn(&identity).await?;
    let issued = ticket::issue(&http.sessions.database, &identity).await?;
    let body = TicketAnswer {
        success: true,
        ticket: issued.ticket.as_str().into(),
        expires_at: rfc3339(issued.expires_at),
        first_use_before: rfc3339(issued.first_use_before),
    };
    let mut response = reply::json(&body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
