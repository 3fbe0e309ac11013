//! One connection: opened, served in the HTTP that it speaks, and ended in time.

use std::{
    error::Error,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    task::Poll,
};

use bytes::Bytes;
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
    handover::{Handover, Lent},
    streamed::with_body,
    writer::Writer,
};

/// What a client may send of bodies before we have taken them; the least that HTTP/2 knows. Ours are small.
const RECEIVE_WINDOW: u32 = 64 * 1024 - 1;

/// When a connection should end, and when it must.
#[derive(Clone)]
pub(super) struct Ends {
    pub(super) shutdown: CancellationToken,
    pub(super) cut_off: CancellationToken,
}

/// Opens and serves a connection until one side has had enough, or until it is at a stream that needs no more than to be written: whoever is at one for hours is to keep
/// nothing of what is in here.
pub(super) async fn connection<Io, S, B>(
    opening: impl Future<Output = io::Result<(Io, Protocol)>>,
    peer: SocketAddr,
    service: S,
    options: Options,
    ends: Ends,
) -> Option<Writer<Io>>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let opened = ends.cut_off.run_until_cancelled(tokio::time::timeout(options.opening_timeout, opening)).await;
    let (io, protocol) = match opened {
        Some(Ok(Ok(opened))) => opened,
        Some(Ok(Err(error))) => {
            debug!(%peer, %error, "a connection could not be opened");
            return None;
        }
        Some(Err(_)) => {
            debug!(%peer, "a connection was not opened in time");
            return None;
        }
        None => return None,
    };
    let ended = match protocol {
        Protocol::Http1 => http1(io, peer, service, &options, &ends).await,
        // It is several times as large, and most connections are of the other kind.
        Protocol::Http2 => {
            let ended = Box::pin(http2(TokioIo::new(io), peer, service, &options, &ends)).await;
            ended.map(|ended| ended.map(|()| None))
        }
    };
    match ended {
        Some(Ok(streaming)) => return streaming,
        // A response that could not be made is our failure; everything else is a client that went away or sent nonsense.
        Some(Err(error)) if error.is_user() => warn!(%peer, error = &error as &dyn Error, "a response broke off"),
        Some(Err(error)) => debug!(%peer, error = &error as &dyn Error, "a connection broke off"),
        None => warn_of_cut_off(peer),
    }
    None
}

/// Says how a stream ended that was written without hyper; `None` if it had to be cut off.
pub(super) fn tell_end_of_stream(ended: Option<io::Result<()>>, peer: SocketAddr) {
    match ended {
        Some(Ok(())) => {}
        Some(Err(error)) => debug!(%peer, %error, "a connection broke off"),
        None => warn_of_cut_off(peer),
    }
}

fn warn_of_cut_off(peer: SocketAddr) {
    warn!(%peer, "a response did not end in time and was cut off");
}

/// Also returns when it is at a stream.
async fn http1<Io, S, B>(
    io: Io,
    peer: SocketAddr,
    service: S,
    options: &Options,
    ends: &Ends,
) -> Option<hyper::Result<Option<Writer<Io>>>>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + 'static,
{
    let handover = Handover::default();
    let stage = handover.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        // Older clients do not know chunks.
        let handover = (request.version() == Version::HTTP_11).then(|| handover.clone());
        let answering = service.call(request);
        async { Ok::<_, S::Error>(with_body(answering.await?, handover)) }
    });
    let draining = ends.shutdown.is_cancelled();
    let mut served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size(options.buffer_bytes)
        .keep_alive(!draining)
        .serve_connection(TokioIo::new(Lent::new(io, stage.clone())), service);
    let mut enough = pin!(ends.shutdown.cancelled());
    // One that came while we leave ends with its first response anyway.
    let mut is_last = draining;
    let until_ended = poll_fn(|context| {
        if !is_last && enough.as_mut().poll(context).is_ready() {
            is_last = true;
            Pin::new(&mut served).graceful_shutdown();
        }
        match Pin::new(&mut served).poll(context) {
            Poll::Ready(ended) => Poll::Ready(ended.map(|()| None)),
            Poll::Pending => stage.take().map_or(Poll::Pending, |chunks| Poll::Ready(Ok(Some(chunks)))),
        }
    });
    let ended = ends.cut_off.run_until_cancelled(until_ended).await?;
    // What the client has sent beyond its request goes the way of all that it says from now on.
    Some(ended.map(|chunks| Some(Writer::new(served.into_parts().io.into_inner().give_back(), chunks?))))
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
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let activity = Activity::default();
    let begun = activity.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let (at_work, service) = (begun.begin(), service.clone());
        // It is called by the request's own task: a panic is that of the request, not of the connection.
        async move {
            let answer = with_body(service.call(as_http1(request)).await?, None);
            Ok::<_, S::Error>(answer.map(|body| Answering::new(body, at_work)))
        }
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
