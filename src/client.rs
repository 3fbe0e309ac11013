//! HTTP/1.1 requests to what is asked now and then: a server that the doctor looks at, a collector of traces.
//!
//! One connection for each request, over TLS where the URL says so, with the certificates of the system (`SSL_CERT_FILE` names others).

use std::{error::Error as StdError, io, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, Uri, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// How long an answer may take, and how long it may be.
pub const PATIENCE: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 4 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no URL that we could ask.
    #[error("expected a URL with http:// or https:// and a host, such as http://127.0.0.1:8080")]
    Scheme,
    /// Nobody there.
    #[error("cannot connect to {0}")]
    Connect(String, #[source] io::Error),
    /// Somebody there, who is not the one that was asked for, or does not speak TLS.
    #[error(
        "no TLS with {0}: its certificate has to be for that name and signed by a CA of the system, or of the file that SSL_CERT_FILE names"
    )]
    Tls(String, #[source] io::Error),
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

async fn exchange(request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
    let Some(authority) = request.uri().authority().cloned() else { return Err(Error::Scheme) };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let connect = async |default: u16| {
        let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(default))).await;
        stream.map_err(|error| Error::Connect(authority.to_string(), error))
    };
    match request.uri().scheme_str() {
        Some("http") => ask(connect(80).await?, request).await,
        Some("https") => {
            let stream = encrypt(host, connect(443).await?).await;
            ask(stream.map_err(|error| Error::Tls(host.to_owned(), error))?, request).await
        }
        _ => Err(Error::Scheme),
    }
}

async fn encrypt(host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    // Those that cannot be read are missed by whoever needs them.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    mut request: Request<Bytes>,
) -> Result<Response<Bytes>, Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender, and the sender tells how.
    tokio::spawn(connection);
    let uri = request.uri();
    let host = uri.authority().and_then(|authority| header::HeaderValue::from_str(authority.as_str()).ok());
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = target.parse::<Uri>().map_err(|_| Error::Scheme)?;
    if let Some(host) = host {
        request.headers_mut().insert(header::HOST, host);
    }
    let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await.map_err(Error::Body)?;
    Ok(Response::from_parts(head, body.to_bytes()))
}
