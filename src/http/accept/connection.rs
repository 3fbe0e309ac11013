//! One connection: opened, served in the HTTP that it speaks, and ended in time.

use std::{error::Error, io, net::SocketAddr, pin::pin};

use hyper::{
    Request, Response, Version,
    body::{Body, Incoming},
    header::{COOKIE, HOST, HeaderValue},
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    Options, Peer, Protocol,
    activity::{Activity, Answering},
};

/// What a client may send of bodies before we have taken them; the least that HTTP/2 knows. Ours are small.
const RECEIVE_WINDOW: u32 = 64 * 1024 - 1;

/// When a connection should end, and when it must.
#[derive(Clone)]
pub(super) struct Ends {
    pub(super) shutdown: CancellationToken,
    pub(super) cut_off: CancellationToken,
}

/// Opens and serves a connection until one side has had enough.
pub(super) async fn connection<Io, S, B>(
    opening: impl Future<Output = io::Result<(Io, Protocol)>>,
    peer: SocketAddr,
    service: S,
    options: Options,
    ends: Ends,
) where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let opened = ends.cut_off.run_until_cancelled(tokio::time::timeout(options.opening_timeout, opening)).await;
    let (io, protocol) = match opened {
        Some(Ok(Ok((io, protocol)))) => (TokioIo::new(io), protocol),
        Some(Ok(Err(error))) => return debug!(%peer, %error, "a connection could not be opened"),
        Some(Err(_)) => return debug!(%peer, "a connection was not opened in time"),
        None => return,
    };
    let ended = match protocol {
        Protocol::Http1 => http1(io, peer, service, &options, &ends).await,
        // It is several times as large, and most that are idle are of the other kind.
        Protocol::Http2 => Box::pin(http2(io, peer, service, &options, &ends)).await,
    };
    match ended {
        Some(Ok(())) => {}
        // A response that could not be made is our failure; everything else is a client that went away or sent nonsense.
        Some(Err(error)) if error.is_user() => warn!(%peer, error = &error as &dyn Error, "a response broke off"),
        Some(Err(error)) => debug!(%peer, error = &error as &dyn Error, "a connection broke off"),
        None => warn!(%peer, "a response did not end in time and was cut off"),
    }
}

async fn http1<Io, S, B>(
    io: TokioIo<Io>,
    peer: SocketAddr,
    service: S,
    options: &Options,
    ends: &Ends,
) -> Option<hyper::Result<()>>
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
        .serve_connection(io, service);
    // One that came while we leave ends with its first response anyway.
    let enough = async { if draining { std::future::pending().await } else { ends.shutdown.cancelled().await } };
    until_ended(served, enough, std::future::pending(), ends).await
}

async fn http2<Io, S, B>(
    io: TokioIo<Io>,
    peer: SocketAddr,
    service: S,
    options: &Options,
    ends: &Ends,
) -> Option<hyper::Result<()>>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let activity = Activity::default();
    let begun = activity.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let (at_work, service) = (begun.begin(), service.clone());
        // It is called by the request's own task: a panic is that of the request, not of the connection.
        async move { Ok::<_, S::Error>(service.call(as_http1(request)).await?.map(|body| Answering::new(body, at_work))) }
    });
    // There are no pings of ours: a client that takes its time reads them late, too, and is not to be given up for it. Who has vanished is
    // found out below HTTP.
    let served = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.streams)
        .max_header_list_size(u32::try_from(options.buffer_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(RECEIVE_WINDOW)
        .initial_connection_window_size(RECEIVE_WINDOW)
        // What waits in memory of each answer, beside the chunk that it is at.
        .max_send_buf_size(options.buffer_bytes)
        .serve_connection(io, service);
    let draining = ends.shutdown.is_cancelled();
    // One that comes while we leave is told with its first request, or it would go without an answer.
    let leaving = async { if draining { activity.begun().await } else { ends.shutdown.cancelled().await } };
    let enough = async {
        tokio::select! {
            () = leaving => {}
            () = activity.idle(options.header_timeout) => {}
        }
    };
    // Who does not take leave, or has not even begun, is not waited for.
    let more_than_enough = activity.idle(options.header_timeout);
    until_ended(served, enough, more_than_enough, ends).await
}

/// Serves: from when it is `enough` without taking further requests, and from then on until it is `more_than_enough`. `None` if it had to be cut off.
async fn until_ended<C: GracefulConnection<Error = hyper::Error>>(
    served: C,
    enough: impl Future<Output = ()>,
    more_than_enough: impl Future<Output = ()>,
    ends: &Ends,
) -> Option<hyper::Result<()>> {
    let mut served = pin!(served);
    tokio::select! {
        ended = served.as_mut() => return Some(ended),
        () = enough => served.as_mut().graceful_shutdown(),
        () = ends.cut_off.cancelled() => return None,
    }
    tokio::select! {
        ended = served => Some(ended),
        () = more_than_enough => Some(Ok(())),
        () = ends.cut_off.cancelled() => None,
    }
}

/// The request as routes know it from HTTP/1.1: a host in its header, and one line of cookies.
fn as_http1(mut request: Request<Incoming>) -> Request<Incoming> {
    debug_assert_eq!(request.version(), Version::HTTP_2);
    let host = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    let cookies: Vec<&[u8]> = request.headers().get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    let cookies = (cookies.len() > 1).then(|| HeaderValue::from_bytes(&cookies.join(&b"; "[..])));
    let headers = request.headers_mut();
    if let Some(host) = host {
        headers.insert(HOST, host);
    }
    if let Some(Ok(cookies)) = cookies {
        headers.insert(COOKIE, cookies);
    }
    request
}
