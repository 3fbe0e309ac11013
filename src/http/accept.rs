//! The accept loop: from a listener to served connections, and back to none.
//!
//! Our own instead of warp's, which has no time-out for a request that never ends, no bound on a shutdown, and logs every
//! client that goes away as an error. It knows neither TCP nor the routes: a simulated network can drive it.

mod activity;
mod connection;
mod crowd;
mod handover;
mod streamed;
mod writer;

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use self::connection::{Ends, connection, tell_end_of_stream};
pub use self::{crowd::Crowd, streamed::Streamed};

/// The first pause after an accept that failed for want of something (file descriptors, memory); it doubles up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Where connections come from.
pub trait Accept: Send {
    /// One connection's bytes.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// What has to happen on a connection before HTTP can be spoken, and which one that is: nothing, or a TLS handshake.
    type Opening: Future<Output = io::Result<(Self::Io, Protocol)>> + Send + 'static;

    /// The next connection, and who is at its other end. Nothing is lost when this is cancelled.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Opening, SocketAddr)>> + Send;
}

/// Which HTTP a connection speaks. It is known before its first byte, never guessed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Who is at the other end of the connection: an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// What one connection may take, and how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a connection may take until HTTP can be spoken.
    pub opening_timeout: Duration,
    /// How long a client may take to send a request's headers. Also how long it may leave a connection unused.
    pub header_timeout: Duration,
    /// The size of a connection's buffers, and of the largest request headers.
    pub buffer_bytes: usize,
    /// How many requests of one HTTP/2 connection may be at work at a time.
    pub streams: u32,
    /// How long connections may take to end once they should.
    pub drain_timeout: Duration,
    /// How many there may be; none: any number. One that is too many is closed without a word.
    pub crowd: Option<Arc<Crowd>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            opening_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(15),
            // Tokens come in headers, and may have 8 KiB.
            buffer_bytes: 16 * 1024,
            // The least that the standard recommends, and what browsers are used to.
            streams: 100,
            // Less than the half minute after which orchestrators lose their patience.
            drain_timeout: Duration::from_secs(25),
            crowd: None,
        }
    }
}

/// Serves every connection until `shutdown`, and returns when the last one has ended.
///
/// From then on a connection ends with the responses it is at, or with its first. Endless responses have to end by themselves at `shutdown`; after
/// `options.drain_timeout` they are cut off. Until then it goes on accepting: whoever has not heard yet that this server is leaving gets an
/// answer that says so.
pub async fn serve<A, S, B>(mut accept: A, service: S, options: Options, shutdown: CancellationToken)
where
    A: Accept,
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
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
                Ok((opening, peer)) => {
                    pause = FIRST_PAUSE;
                    let place = match &options.crowd {
                        Some(crowd) => match crowd.enter(peer) {
                            None => continue,
                            place => place,
                        },
                        None => None,
                    };
                    // A task is as large as what it is at when it needs most, for as long as it lives.
                    let served = Box::pin(connection(opening, peer, service.clone(), options.clone(), ends.clone()));
                    let cut_off = ends.cut_off.clone();
                    connections.spawn(async move {
                        if let Some(mut writer) = served.await {
                            // Not handed to anything by value: it would be kept in both places.
                            let ended = tokio::select! {
                                biased;
                                ended = &mut writer => Some(ended),
                                () = cut_off.cancelled() => None,
                            };
                            tell_end_of_stream(ended, peer);
                        }
                        drop(place);
                    });
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

#[cfg(test)]
mod tests;
