//! The accept loop: from a listener to served connections, and back to none.
//!
//! Our own instead of warp's, which has no time-out for a request that never ends, no bound on a shutdown, and logs every
//! client that goes away as an error. It knows neither TCP nor the routes: a simulated network can drive it.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

/// The first pause after an accept that failed for want of something (file descriptors, memory); it doubles up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Where connections come from.
pub trait Accept: Send {
    /// One connection's bytes.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection, and who is at its other end. Nothing is lost when this is cancelled.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, SocketAddr)>> + Send;
}

/// Who is at the other end of the connection: an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// What one connection may take, and how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a client may take to send a request's headers. Also how long it may leave a connection unused.
    pub header_timeout: Duration,
    /// The size of a connection's buffers, and of the largest request headers.
    pub buffer_bytes: usize,
    /// How long connections may take to end once they should.
    pub drain_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(15),
            // Tokens come in headers, and may have 8 KiB.
            buffer_bytes: 16 * 1024,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Serves every connection until `shutdown`, then accepts no more and returns when the last one has ended.
///
/// A connection ends with the response it is at. Endless responses have to end by themselves at `shutdown`; after
/// `options.drain_timeout` they are cut off.
pub async fn serve<A, S, B>(mut accept: A, service: S, options: Options, shutdown: CancellationToken)
where
    A: Accept,
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let connections = TaskTracker::new();
    let mut pause = FIRST_PAUSE;
    while let Some(accepted) = shutdown.run_until_cancelled(accept.accept()).await {
        match accepted {
            Ok((io, peer)) => {
                pause = FIRST_PAUSE;
                connections.spawn(connection(io, peer, service.clone(), options.clone(), shutdown.clone()));
            }
            // The client's doing: it was gone before we got to it.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                warn!(%error, ?pause, "no connection can be accepted");
                shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
                pause = LAST_PAUSE.min(pause * 2);
            }
        }
    }
    // Clients that come now should be refused and try elsewhere, not wait for a server that is leaving.
    drop(accept);
    connections.close();
    if !connections.is_empty() {
        debug!(connections = connections.len(), "draining");
    }
    connections.wait().await;
}

async fn connection<Io, S, B>(io: Io, peer: SocketAddr, service: S, options: Options, shutdown: CancellationToken)
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Error: Into<Box<dyn Error + Send + Sync>>> + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        service.call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size(options.buffer_bytes)
        .serve_connection(TokioIo::new(io), service);
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => Some(ended),
        () = shutdown.cancelled() => {
            served.as_mut().graceful_shutdown();
            tokio::time::timeout(options.drain_timeout, served).await.ok()
        }
    };
    match ended {
        Some(Ok(())) => {}
        // A response that could not be made is our failure; everything else is a client that went away or sent nonsense.
        Some(Err(error)) if error.is_user() => warn!(%peer, error = &error as &dyn Error, "a response broke off"),
        Some(Err(error)) => debug!(%peer, error = &error as &dyn Error, "a connection broke off"),
        None => warn!(%peer, "a response did not end in time and was cut off"),
    }
}

#[cfg(test)]
mod tests;
