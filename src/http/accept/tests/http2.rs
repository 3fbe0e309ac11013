//! The same promises over HTTP/2, which keeps many requests on one connection.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::{Instant, sleep, timeout};

use super::*;

type Requests = SendRequest<Full<Bytes>>;

/// A server, and a client's end of a connection to it.
async fn connected() -> (JoinHandle<()>, CancellationToken, Requests, JoinHandle<hyper::Result<()>>) {
    let (plugs, sockets) = mpsc::unbounded_channel();
    let (serving, shutdown) = start(Plugs(sockets, Protocol::Http2));
    let (requests, connection) = plug_in(&plugs).await;
    (serving, shutdown, requests, connection)
}

async fn plug_in(plugs: &mpsc::UnboundedSender<DuplexStream>) -> (Requests, JoinHandle<hyper::Result<()>>) {
    let (client, server) = duplex(64 * 1024);
    plugs.send(server).unwrap();
    let (requests, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await.unwrap();
    (requests, tokio::spawn(connection))
}

fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(format!("http://a.example{path}")).body(Full::default()).unwrap()
}

async fn next(body: &mut Incoming) -> Option<Bytes> {
    loop {
        let data = body.frame().await?.unwrap().into_data().unwrap();
        // The end may come as an empty piece.
        if !data.is_empty() {
            return Some(data);
        }
    }
}

#[tokio::test]
async fn routes_see_what_they_know_from_http_1() {
    let (_serving, _shutdown, mut requests, _connection) = connected().await;
    let answer = requests.send_request(get("/")).await.unwrap();
    assert_eq!(answer.headers()["content-length"], "26");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "Some(Peer(192.0.2.7:4711))");
    let mut request = get("/head");
    for cookie in ["a=1", "b=2"] {
        request.headers_mut().append("cookie", cookie.parse().unwrap());
    }
    let body = requests.send_request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let head = str::from_utf8(&body).unwrap();
    assert!(head.contains(r#""cookie": "a=1; b=2""#) && head.contains(r#""host": "a.example""#), "{head}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_not_used_is_closed_and_one_with_an_open_answer_is_not() {
    let (_serving, shutdown, mut requests, connection) = connected().await;
    let mut body = requests.send_request(get("/endless")).await.unwrap().into_body();
    assert_eq!(next(&mut body).await.unwrap(), "first");
    sleep(10 * Options::default().header_timeout).await;
    assert!(!connection.is_finished());
    shutdown.cancel();
    assert_eq!(next(&mut body).await.unwrap(), "last");

    let (_serving, _shutdown, mut requests, connection) = connected().await;
    requests.send_request(get("/")).await.unwrap().into_body().collect().await.unwrap();
    let since = Instant::now();
    connection.await.unwrap().unwrap();
    assert_eq!(since.elapsed().as_secs(), Options::default().header_timeout.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_nothing_is_ever_said_is_closed() {
    let (plugs, sockets) = mpsc::unbounded_channel();
    let (_serving, _shutdown) = start(Plugs(sockets, Protocol::Http2));
    let (mut client, server) = duplex(64 * 1024);
    plugs.send(server).unwrap();
    let since = Instant::now();
    // Settings come, and the end.
    client.read_to_end(&mut Vec::new()).await.unwrap();
    assert_eq!(
        since.elapsed(),
        2 * Options::default().header_timeout,
        "once for a goodbye, once for want of an answer"
    );
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let (_serving, _shutdown, mut requests, _connection) = connected().await;
    let mut request = get("/");
    request.headers_mut().insert("authorization", "x".repeat(8 * 1024).parse().unwrap());
    assert_eq!(requests.send_request(request).await.unwrap().status(), 200, "a token of eight kilobytes");
    let mut request = get("/");
    request.headers_mut().insert("x-large", "x".repeat(Options::default().buffer_bytes).parse().unwrap());
    // The client's side has been told how much is taken, and may refuse it itself.
    let answer = requests.send_request(request).await;
    assert!(answer.as_ref().map_or(true, |answer| answer.status() == 431), "{answer:?}");
    assert_eq!(requests.send_request(get("/")).await.unwrap().status(), 200, "others go on");
}

#[tokio::test]
async fn a_panic_ends_its_own_answer_alone() {
    let (_serving, _shutdown, mut requests, _connection) = connected().await;
    let mut body = requests.send_request(get("/endless")).await.unwrap().into_body();
    assert_eq!(next(&mut body).await.unwrap(), "first");
    let unlucky = requests.send_request(get("/panic")).await;
    assert!(unlucky.is_err());
    let more = timeout(Duration::from_millis(50), next(&mut body)).await;
    assert!(more.is_err(), "the other's answer has ended: {more:?}");
}

#[tokio::test]
async fn shutdown_lets_answers_end() {
    let (serving, shutdown, mut requests, connection) = connected().await;
    let mut bodies = Vec::new();
    for _ in 0..5 {
        let mut body = requests.send_request(get("/endless")).await.unwrap().into_body();
        assert_eq!(next(&mut body).await.unwrap(), "first");
        bodies.push(body);
    }
    shutdown.cancel();
    for body in &mut bodies {
        assert_eq!(next(body).await.unwrap(), "last");
        assert_eq!(next(body).await, None);
    }
    connection.await.unwrap().unwrap();
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_ever_and_answers_who_comes_meanwhile() {
    let (plugs, sockets) = mpsc::unbounded_channel();
    let (serving, shutdown) = start(Plugs(sockets, Protocol::Http2));
    let (mut requests, _connection) = plug_in(&plugs).await;
    let mut body = requests.send_request(get("/stubborn")).await.unwrap().into_body();
    assert_eq!(next(&mut body).await.unwrap(), "first");
    let started = Instant::now();
    shutdown.cancel();
    sleep(Duration::from_secs(1)).await;
    let (mut late, late_connection) = plug_in(&plugs).await;
    assert_eq!(late.send_request(get("/")).await.unwrap().status(), 200);
    late_connection.await.unwrap().unwrap();
    assert!(started.elapsed().as_secs() < 2, "it is closed after its answer");
    serving.await.unwrap();
    assert_eq!(started.elapsed().as_secs(), Options::default().drain_timeout.as_secs());
    assert!(body.frame().await.unwrap().is_err(), "cut off");
}

/// A server whose answers never end, in pieces of 4 KiB; and how many bytes it has made.
fn flooding() -> (mpsc::UnboundedSender<DuplexStream>, Arc<AtomicUsize>) {
    const PIECE: Bytes = Bytes::from_static(&[b'x'; 4096]);
    let (plugs, sockets) = mpsc::unbounded_channel();
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let service = service_fn(move |_| {
        let count = Arc::clone(&count);
        let pieces = stream::repeat_with(move || {
            count.fetch_add(PIECE.len(), Ordering::Relaxed);
            Ok::<_, Infallible>(Frame::data(PIECE))
        });
        ready(Ok::<_, Infallible>(Response::new(StreamBody::new(pieces))))
    });
    tokio::spawn(serve(Plugs(sockets, Protocol::Http2), service, Options::default(), CancellationToken::new()));
    (plugs, made)
}

/// A frame: its type, flags, stream and payload.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test(start_paused = true)]
async fn for_who_does_not_read_little_is_made() {
    const STREAMS: u32 = 50;
    const NETWORK: usize = 64 * 1024;
    let (plugs, made) = flooding();
    let (mut client, server) = duplex(NETWORK);
    plugs.send(server).unwrap();
    // It would take a gigabyte of each, as it says, and then takes nothing.
    let windows = [frame(4, 0, 0, &[0, 4, 0x40, 0, 0, 0]), frame(8, 0, 0, &[0x40, 0, 0, 0])].concat();
    // GET http://a/, ended.
    let requests = (0..STREAMS).flat_map(|n| frame(1, 5, 2 * n + 1, b"\x82\x84\x86\x41\x01a"));
    let sent: Vec<u8> = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".iter().copied().chain(windows).chain(requests).collect();
    client.write_all(&sent).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let before = made.load(Ordering::Relaxed);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(made.load(Ordering::Relaxed), before, "it goes on");
    assert!(before > NETWORK, "nothing is made: {before}");
    // Of each answer a buffer, the piece that did not fit into it, and the next one.
    let bound = NETWORK + STREAMS as usize * (Options::default().buffer_bytes + 2 * 4096) + 64 * 1024;
    assert!(before < bound, "{before} bytes were made");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_read_keeps_no_other_waiting() {
    let (plugs, made) = flooding();
    let (mut requests, _connection) = plug_in(&plugs).await;
    let _unread = requests.send_request(get("/")).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let before = made.load(Ordering::Relaxed);
    let mut other = requests.send_request(get("/")).await.unwrap().into_body();
    let mut seen = 0;
    while seen < 20 << 20 {
        seen += next(&mut other).await.unwrap().len();
    }
    let held = made.load(Ordering::Relaxed) - before - seen;
    assert!(held < 4 << 20, "{held} bytes were made for the one that is not read");
}
