//! `GET /api/v1/realtime/sse`: the stream.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use sync_wrapper::SyncStream;
use warp::{
    http::{HeaderMap, HeaderValue, header},
    reply::{self, Reply, Response},
};

use super::{Http, error::Error};
use crate::{
    policy::{Grants, Policy},
    session::{self, Session, Wanted},
};

/// The name of the one type that every stream carries, whatever it asked for.
const CONNECTION_STATUS: &str = "connection_status";

/// The parameters of the stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query {
    subscriptions: Option<String>,
    organization_id: Option<Box<str>>,
    last_event_id: Option<String>,
}

/// Opens a stream, or says why not.
pub(super) async fn open(query: Query, headers: HeaderMap, http: Arc<Http>) -> Response {
    match try_open(query, &headers, &http).await {
        Ok(response) => response,
        // To EventSource every status but 200 is final: it would never come back.
        Err(Error::NotReady) => event_stream(stream::iter([Bytes::from(session::unavailable())])),
        Err(error) => error.into_response(),
    }
}

async fn try_open(query: Query, headers: &HeaderMap, http: &Http) -> Result<Response, Error> {
    let identity = http.verifier.verify(bearer_token(headers)?)?;
    if !http.is_ready() {
        return Err(Error::NotReady);
    }
    let server = &http.sessions;
    let viewer = server.access.viewer(&identity.user_id).await?;
    let grants = Arc::clone(&viewer.watch().borrow());
    let wanted =
        wanted(query.subscriptions.as_deref(), query.organization_id, &grants.value, &server.access.policy().value)?;
    // A native EventSource sends the header on a reconnect, but keeps the query of its first URL.
    let header = headers.get("last-event-id").map(HeaderValue::as_bytes).filter(|id| !id.is_empty());
    let last_event_id = header.or(query.last_event_id.as_deref().map(str::as_bytes));
    let resume = session::resume(server, last_event_id.unwrap_or_default()).await?;
    let session = Session::open(Arc::clone(server), &identity, viewer, wanted, &resume);
    Ok(event_stream(session.into_stream()))
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, Error> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or(Error::NoToken)?;
    let (scheme, token) = value.split_once(' ').ok_or(Error::NoToken)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(Error::NoToken) }
}

/// What the request asks for, if it exists and the user may see any of it.
fn wanted(
    subscriptions: Option<&str>,
    organization: Option<Box<str>>,
    grants: &Grants,
    policy: &Policy,
) -> Result<Wanted, Error> {
    let organization = organization.filter(|organization| !organization.is_empty());
    // Postgres has no text with a NUL in it, so nobody's organization is called that, not even in the eyes of platform staff.
    if organization.as_ref().is_some_and(|organization| organization.contains('\0')) {
        return Err(Error::NotAMember);
    }
    let mut wanted = Wanted { types: None, organization };
    if !wanted.may_connect(grants) {
        return Err(Error::NotAMember);
    }
    let Some(subscriptions) = subscriptions else { return Ok(wanted) };
    let types: BTreeSet<Box<str>> =
        subscriptions.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Into::into).collect();
    if types.is_empty() {
        return Err(Error::NoSubscription);
    }
    if !types.iter().all(|name| policy.knows(name)) {
        return Err(Error::UnknownType);
    }
    let visible = policy.visible_types(grants, wanted.organization.as_deref());
    if !types.iter().all(|name| &**name == CONNECTION_STATUS || visible.contains(name)) {
        return Err(Error::Forbidden);
    }
    wanted.types = Some(types);
    Ok(wanted)
}

fn event_stream(chunks: impl stream::Stream<Item = Bytes> + Send + 'static) -> Response {
    let chunks = SyncStream::new(chunks.map(Ok::<_, Infallible>));
    let mut response = reply::stream(chunks).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    // nginx would otherwise collect the stream before it passes it on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
