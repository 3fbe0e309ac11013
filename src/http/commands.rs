//! `POST /api/v1/realtime/sse`: what its user asks of an open stream, on whichever server it is.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use serde::Deserialize;
use warp::{
    http::{HeaderMap, HeaderValue, header},
    reply::{self, Reply, Response},
};

use super::{
    Http,
    answers::{self, CommandAnswer},
    credentials::{InQuery, identify},
    error::Error,
};
use crate::{
    access::token::Identity,
    command::{Answer, Ask, Done},
    postgres::outbox,
    session::{self, Resume},
    sse::rfc3339,
};

/// The most types that are named at once.
const MAX_TYPES: usize = 100;

/// The body of a request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    connection_id: Box<str>,
    action: Box<str>,
    event_types: Option<BTreeSet<Box<str>>>,
    since: Option<Box<str>>,
    token: Option<Box<str>>,
}

/// Does what is asked, and answers when it is in force.
pub(super) async fn obey(headers: HeaderMap, body: Bytes, http: Arc<Http>) -> Response {
    try_obey(&headers, &body, &http).await.unwrap_or_else(|error| http.refuse(error))
}

async fn try_obey(headers: &HeaderMap, body: &[u8], http: &Http) -> Result<Response, Error> {
    if !is_json(headers) {
        return Err(Error::MediaType);
    }
    let body: Body = serde_json::from_slice(body).map_err(|_| Error::Body)?;
    let identity = who_asks(headers, &body, http).await?;
    if !http.is_ready() {
        return Err(Error::NotReady);
    }
    http.take_turn(&identity).await?;
    let (ask, what) = ask(&body, &identity, http).await?;
    let done = answer(&body.connection_id, &ask, &identity, http).await??;
    Ok(report(done, what))
}

/// Whether the body is said to be JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Who is known by the request, or, where that says nothing, by the token with which a stream is to be renewed.
async fn who_asks(headers: &HeaderMap, body: &Body, http: &Http) -> Result<Identity, Error> {
    let Some(token) = body.token.as_deref().filter(|_| *body.action == *"renew") else {
        return identify(http, headers, &InQuery::default()).await;
    };
    let renewed = http.verifier.verify(token).await?;
    match identify(http, headers, &InQuery::default()).await {
        Ok(identity) if identity.user_id != renewed.user_id => Err(Error::OtherUser),
        // The one in the header may have expired by now: that is what a renewal is for.
        Ok(_) | Err(Error::NoToken | Error::Token(_)) => Ok(renewed),
        Err(error) => Err(error),
    }
}

/// What the body asks for, and what is said when it is done.
async fn ask(body: &Body, identity: &Identity, http: &Http) -> Result<(Ask, answers::Done), Error> {
    let types = || match &body.event_types {
        Some(types) if !types.is_empty() && types.len() <= MAX_TYPES => Ok(types.clone()),
        Some(types) if types.is_empty() => Err(Error::NoSubscription),
        _ => Err(Error::Body),
    };
    match &*body.action {
        "subscribe" => {
            let since = match &body.since {
                Some(since) => Some(cursor(since, http).await?),
                None => None,
            };
            let types = types()?;
            let committed = outbox::current_cursor(&http.sessions.database.connection().await?).await?;
            Ok((Ask::Subscribe { types, committed, since }, answers::Done::Subscribed))
        }
        "unsubscribe" => Ok((Ask::Unsubscribe { types: types()? }, answers::Done::Unsubscribed)),
        "renew" => Ok((Ask::Renew { expires_at: identity.expires_at }, answers::Done::Renewed)),
        _ => Err(Error::Action),
    }
}

/// The cursor, if it is one that a stream could go on after.
async fn cursor(text: &str, http: &Http) -> Result<Box<str>, Error> {
    match session::resume(&http.sessions, text.as_bytes()).await? {
        Resume::After(cursor) => Ok(cursor.to_string().into()),
        Resume::Head | Resume::Reset(_) => Err(Error::Since),
    }
}

async fn answer(id: &str, ask: &Ask, identity: &Identity, http: &Http) -> Result<Answer, Error> {
    // Who does not own it is not told that it is there.
    if http.directory.owner(id).await?.as_ref() != Some(&identity.user_id) {
        return Err(Error::NoConnection);
    }
    match http.directory.connections.find(id) {
        Some(connection) => Ok(connection.obey(ask, &http.sessions.access, &http.sessions.log())),
        None => Ok(http.directory.ask(id, ask).await??),
    }
}

fn report(Done { event_types, expires_at }: Done, message: answers::Done) -> Response {
    let reported = CommandAnswer { success: true, message, event_types, expires_at: rfc3339(expires_at) };
    let mut response = reply::json(&reported).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
