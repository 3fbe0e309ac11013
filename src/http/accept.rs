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
            // Less than the half minute after which orchestrators lose their patience.
            drain_timeout: Duration::from_secs(25),
        }
    }
}

/// Serves every connection until `shutdown`, and returns when the last one has ended.
///
/// From then on a connection ends with the response it is at, or with its first. Endless responses have to end by themselves at `shutdown`; after
/// `options.drain_timeout` they are cut off. Until then it goes on accepting: whoever has not heard yet that this server is leaving gets an
/// answer that says so.
pub async fn serve<A, S, B>(mut accept: A, service: S, options: Options, shutdown: CancellationToken)
where
    A: Accept,
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let connections = TaskTracker::new();
    connections.close();
    let ends = Ends { shutdown, cut_off: CancellationToken::new() };
    let drain_timeout = options.drain_timeout;
    let drained = async {
        ends.shutdown.cancelled().await;
        debug!(connections = connections.len(), "draining");
        if tokio::time::timeout(drain_timeout, connections.wait()).await.is_err() {
            ends.cut_off.cancel();
            connections.wait().await;
        }
    };
    let accepting = async {
        let mut pause = FIRST_PAUSE;
        loop {
            match accept.accept().await {
                Ok((io, peer)) => {
                    pause = FIRST_PAUSE;
                    connections.spawn(connection(io, peer, service.clone(), options.clone(), ends.clone()));
                }
                // The client's doing: it was gone before we got to it.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
                Err(error) => {
                    warn!(%error, ?pause, "no connection can be accepted");
                    tokio::time::sleep(pause).await;
                    pause = LAST_PAUSE.min(pause * 2);
                }
            }
        }
    };
    tokio::select! {
        () = drained => {}
        () = accepting => {}
    }
}

/// When a connection should end, and when it must.
#[derive(Clone)]
struct Ends {
    shutdown: CancellationToken,
    cut_off: CancellationToken,
}

async fn connection<Io, S, B>(io: Io, peer: SocketAddr, service: S, options: Options, ends: Ends)
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
    let draining = ends.shutdown.is_cancelled();
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size(options.buffer_bytes)
        .keep_alive(!draining)
        .serve_connection(TokioIo::new(io), service);
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => Some(ended),
        () = ends.shutdown.cancelled(), if !draining => {
            served.as_mut().graceful_shutdown();
            ends.cut_off.run_until_cancelled(served).await
        }
        () = ends.cut_off.cancelled() => None,
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
