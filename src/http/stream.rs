//! `GET /api/v1/realtime/sse`: the stream.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use warp::{
    http::{HeaderMap, HeaderValue, header},
    reply::Response,
};

use super::{
    Http,
    accept::Streamed,
    admission::{self, Admitted, Request},
    encoding,
    error::Error,
};
use crate::{
    connections::Connection,
    session::{self, Session},
};

/// The parameters of the stream.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query {
    #[serde(flatten)]
    request: Request,
    last_event_id: Option<String>,
}

/// Opens a stream, or says why not.
pub(super) async fn open(query: Query, headers: HeaderMap, address: IpAddr, http: Arc<Http>) -> Response {
    match try_open(query, &headers, address, &http).await {
        Ok(response) => response,
        // To EventSource every status but 200 is final: it would never come back.
        Err(Error::NotReady) => event_stream(stream::iter([Bytes::from(session::unavailable())])),
        Err(error) => http.refuse(error),
    }
}

async fn try_open(query: Query, headers: &HeaderMap, address: IpAddr, http: &Http) -> Result<Response, Error> {
    let Admitted { viewer, terms } = admission::admit(http, headers, query.request).await?;
    let place = http.gate.enter(address, None)?;
    // A native EventSource sends the header on a reconnect, but keeps the query of its first URL.
    let header = headers.get("last-event-id").map(HeaderValue::as_bytes).filter(|id| !id.is_empty());
    let last_event_id = header.or(query.last_event_id.as_deref().map(str::as_bytes));
    let server = &http.sessions;
    let resume = session::resume(server, last_event_id.unwrap_or_default()).await?;
    let connection = Connection::new(viewer, terms, &server.access);
    let entered = http.directory.enter(connection).await?;
    let session = Session::open(Arc::clone(server), entered, &resume);
    let is_zipped = http.compresses && encoding::takes_gzip(headers);
    let session = if is_zipped { session.zipped() } else { session };
    // The place is taken for as long as there is a stream.
    let mut response = event_stream(session.into_stream().inspect(move |_| _ = &place));
    if http.compresses {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if is_zipped {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

fn event_stream(chunks: impl stream::Stream<Item = Bytes> + Send + 'static) -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(Streamed::new(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    // nginx would otherwise collect the stream before it passes it on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
