//! Plain HTTP/1.1 requests to what is near: a server that the doctor looks at, a collector of traces.
//!
//! One connection for each request and no TLS: neither is ever asked often, nor far away.

use std::{error::Error as StdError, io, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, Uri, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long an answer may take, and how long it may be.
const PATIENCE: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 4 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It would take TLS, or is no URL at all.
    #[error("only http:// is spoken here, with a host: http://127.0.0.1:8080")]
    Scheme,
    /// Nobody there.
    #[error("cannot connect to {0}")]
    Connect(String, #[source] io::Error),
    /// Somebody there, who does not speak HTTP.
    #[error("no answer in HTTP")]
    Protocol(#[from] hyper::Error),
    /// The answer is endless or breaks off.
    #[error("the answer cannot be read: {0}")]
    Body(Box<dyn StdError + Send + Sync>),
    /// It takes too long.
    #[error("no answer within {PATIENCE:?}")]
    Late,
}

/// Sends a request to where its URI says, and reads the whole answer.
///
/// # Errors
/// When there is none; any status is an answer.
pub async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
    tokio::time::timeout(PATIENCE, exchange(request)).await.map_err(|_| Error::Late)?
}

async fn exchange(mut request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
    let uri = request.uri();
    let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority().cloned()) else {
        return Err(Error::Scheme);
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await;
    let stream = stream.map_err(|error| Error::Connect(authority.to_string(), error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender, and the sender tells how.
    tokio::spawn(connection);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = target.parse::<Uri>().map_err(|_| Error::Scheme)?;
    if let Ok(host) = header::HeaderValue::from_str(authority.as_str()) {
        request.headers_mut().insert(header::HOST, host);
    }
    let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await.map_err(Error::Body)?;
    Ok(Response::from_parts(head, body.to_bytes()))
}
