//! `POST /api/v1/integrations/sentry`: what Sentry tells of the app's errors, taken in as rows of `rowcast.errors`.

use std::{future::ready, sync::Arc, time::Instant};

use bytes::Bytes;
use jiff::Timestamp;
use tracing::debug;
use warp::{
    Filter, Rejection,
    http::{HeaderMap, HeaderValue, header},
    reject,
    reply::{self, Reply, Response},
};

use super::{
    Http,
    address::ClientAddress,
    answers::{Taken, WebhookAnswer},
    commands::is_json,
    error::Error,
    turns::{Turn, Turns},
};
use crate::{
    integrations::sentry::{Delivery, Inbox, Message, digest},
    postgres::errors::{self, Outcome},
};

/// The largest webhook. An event with its stack and sources has some hundred kilobytes.
pub(super) const MOST_BYTES: u32 = 1024 * 1024;

/// What the route needs.
pub struct Sentry {
    /// Reads webhooks.
    pub inbox: Inbox,
    /// Who may bring how many.
    pub turns: Arc<Turns>,
}

/// An address has brought too many, and is to wait this long.
#[derive(Debug)]
pub(super) struct TooFast(pub(super) std::time::Duration);

impl reject::Reject for TooFast {}

/// The route is there if there is a secret to check signatures with.
pub(super) fn is_on(http: &Arc<Http>) -> impl Filter<Extract = (), Error = Rejection> + Clone + Send + Sync + use<> {
    let is_on = http.sentry.is_some();
    warp::any().and_then(move || ready(if is_on { Ok(()) } else { Err(reject::not_found()) })).untuple_one()
}

/// A turn of whoever asks: before anything of a body is read.
pub(super) fn turn(
    http: &Arc<Http>,
) -> impl Filter<Extract = (Option<Turn>,), Error = Rejection> + Clone + Send + Sync + use<> {
    let http = Arc::clone(http);
    warp::ext::get::<ClientAddress>().and_then(move |client: ClientAddress| {
        let turn = http.sentry.as_ref().map(|sentry| sentry.turns.take(client.bucket(), Instant::now())).transpose();
        ready(turn.map_err(|wait| reject::custom(TooFast(wait))))
    })
}

/// Takes one in. It is answered when the row is written: one that is not answered well may come again.
pub(super) async fn receive(turn: Option<Turn>, headers: HeaderMap, body: Bytes, http: Arc<Http>) -> Response {
    let received = try_receive(&headers, &body, &http).await;
    drop(turn);
    let outcome = match &received {
        Ok(taken) => taken.name(),
        Err(_) => "refused",
    };
    http.sessions.metrics.sentry_webhook(outcome);
    received.map_or_else(|error| http.refuse(error), report)
}

async fn try_receive(headers: &HeaderMap, body: &[u8], http: &Http) -> Result<Taken, Error> {
    let Some(sentry) = &http.sentry else { return Err(Error::NotFound) };
    if !is_json(headers) {
        return Err(Error::MediaType);
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let delivery = Delivery {
        resource: text("sentry-hook-resource"),
        signature: text("sentry-hook-signature"),
        timestamp: text("sentry-hook-timestamp"),
        body,
    };
    let message =
        sentry.inbox.read(delivery, Timestamp::now()).inspect_err(|reason| debug!(%reason, "a webhook is refused"))?;
    let told = match message {
        Message::Report(report) => serde_json::to_string(&report).map_err(|_| Error::Internal)?,
        Message::OfNoInterest => return Ok(Taken::Ignored),
        Message::Unknown => return Ok(Taken::Unknown),
    };
    let connection = http.sessions.database.connection().await?;
    Ok(match errors::record(&connection, &digest(body), &told).await? {
        Outcome::Recorded => Taken::Recorded,
        Outcome::Repeated => Taken::Repeated,
        Outcome::Outdated => Taken::Outdated,
    })
}

fn report(message: Taken) -> Response {
    let mut response = reply::json(&WebhookAnswer { success: true, message }).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
