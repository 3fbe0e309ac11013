use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Pending, Ready, pending, ready};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::Frame;
use hyper::service::service_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::*;

type Opening = Ready<io::Result<(DuplexStream, Protocol)>>;

type Answer = Response<BoxBody<Bytes, Infallible>>;

mod http2;
mod streams;

/// A network without a network, of connections that all speak the same.
struct Plugs(mpsc::UnboundedReceiver<DuplexStream>, Protocol);

impl Accept for Plugs {
    type Io = DuplexStream;
    type Opening = Opening;

    async fn accept(&mut self) -> io::Result<(Opening, SocketAddr)> {
        match self.0.recv().await {
            Some(io) => Ok((ready(Ok((io, self.1))), ([192, 0, 2, 7], 4711).into())),
            None => std::future::pending().await,
        }
    }
}

/// A listener whose connections never get to the point.
struct Hesitant(Plugs);

impl Accept for Hesitant {
    type Io = DuplexStream;
    type Opening = Pending<io::Result<(DuplexStream, Protocol)>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, SocketAddr)> {
        let (_, peer) = self.0.accept().await?;
        Ok((pending(), peer))
    }
}

/// A listener that fails a few times first.
struct Failing(VecDeque<io::Error>, Plugs);

impl Accept for Failing {
    type Io = DuplexStream;
    type Opening = Opening;

    async fn accept(&mut self) -> io::Result<(Opening, SocketAddr)> {
        match self.0.pop_front() {
            Some(error) => Err(error),
            None => self.1.accept().await,
        }
    }
}

/// Answers `/endless` with a stream that ends at shutdown, `/stubborn` with one that does not, `/panic` not at all, `/head` with the headers, all else with the peer.
fn answer(request: &Request<Incoming>, shutdown: CancellationToken) -> Answer {
    let first = stream::once(async { Ok(Frame::data(Bytes::from_static(b"first"))) });
    let body = match request.uri().path() {
        "/endless" => {
            let rest = stream::once(async move {
                shutdown.cancelled_owned().await;
                Ok(Frame::data(Bytes::from_static(b"last")))
            });
            BodyExt::boxed(StreamBody::new(futures_util::StreamExt::chain(first, rest)))
        }
        "/panic" => panic!("planted"),
        "/stubborn" => BodyExt::boxed(StreamBody::new(futures_util::StreamExt::chain(first, stream::pending()))),
        "/head" => Full::from(format!("{:?}", request.headers())).boxed(),
        _ => Full::from(format!("{:?}", request.extensions().get::<Peer>())).boxed(),
    };
    Response::new(body)
}

fn start(accept: impl Accept + 'static) -> (JoinHandle<()>, CancellationToken) {
    let shutdown = CancellationToken::new();
    let for_answers = shutdown.clone();
    let service = service_fn(move |request| ready(Ok::<_, Infallible>(answer(&request, for_answers.clone()))));
    (tokio::spawn(serve(accept, service, Options::default(), shutdown.clone())), shutdown)
}

/// A server behind plugs, and one end of a connection to it.
fn plugged() -> (JoinHandle<()>, CancellationToken, DuplexStream) {
    let (plugs, sockets) = mpsc::unbounded_channel();
    let (client, server) = duplex(64 * 1024);
    plugs.send(server).unwrap();
    let (serving, shutdown) = start(Plugs(sockets, Protocol::Http1));
    (serving, shutdown, client)
}

async fn read_until(client: &mut (impl AsyncRead + Unpin), expected: &str) -> String {
    let mut seen = String::new();
    let mut buffer = [0; 1024];
    while !seen.contains(expected) {
        let count = client.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the connection closed after {seen:?}");
        seen.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    seen
}

async fn read_to_end(client: &mut (impl AsyncRead + Unpin)) -> String {
    let mut seen = String::new();
    client.read_to_string(&mut seen).await.unwrap();
    seen
}

#[tokio::test]
async fn a_request_knows_who_sent_it() {
    let (_serving, _shutdown, mut client) = plugged();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let answer = read_until(&mut client, "Peer").await;
    assert!(answer.ends_with("Some(Peer(192.0.2.7:4711))"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_not_opened_in_time_is_given_up() {
    let (plugs, sockets) = mpsc::unbounded_channel();
    let (serving, shutdown) = start(Hesitant(Plugs(sockets, Protocol::Http1)));
    let (_client, server) = duplex(1024);
    plugs.send(server).unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let started = tokio::time::Instant::now();
    shutdown.cancel();
    serving.await.unwrap();
    assert!(started.elapsed() <= Options::default().opening_timeout, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_timed_out() {
    let (_serving, _shutdown, mut client) = plugged();
    let started = tokio::time::Instant::now();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: 1").await.unwrap();
    read_to_end(&mut client).await;
    assert_eq!(started.elapsed().as_secs(), Options::default().header_timeout.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_trickles_in_is_timed_out_too() {
    let (_serving, _shutdown, mut client) = plugged();
    let started = tokio::time::Instant::now();
    client.write_all(b"GET / HTTP/1.1\r\nX-Slow: ").await.unwrap();
    while client.write_all(b"1").await.is_ok() {
        assert!(started.elapsed().as_secs() < 60, "it is waited for for ever");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // Found out with the next byte.
    assert_eq!(started.elapsed().as_secs(), Options::default().header_timeout.as_secs() + 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_not_used_is_timed_out() {
    let (_serving, _shutdown, mut client) = plugged();
    assert_eq!(read_to_end(&mut client).await, "", "before the first request");

    let (_serving, _shutdown, mut client) = plugged();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut client).await.starts_with("HTTP/1.1 200"), "after a request");
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let (_serving, _shutdown, mut client) = plugged();
    let header =
        format!("GET / HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n", "x".repeat(2 * Options::default().buffer_bytes));
    client.write_all(header.as_bytes()).await.unwrap();
    let answer = read_until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_query_that_is_too_large_is_refused() {
    let (_serving, _shutdown, mut client) = plugged();
    let target = format!("GET /?{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(2 * Options::default().buffer_bytes));
    client.write_all(target.as_bytes()).await.unwrap();
    let answer = read_until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 414"), "{answer}");
}

#[tokio::test]
async fn a_client_that_closes_its_side_has_gone() {
    let (serving, shutdown, mut client) = plugged();
    client.write_all(b"GET /stubborn HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_until(&mut client, "first").await;
    client.shutdown().await.unwrap();
    read_to_end(&mut client).await;
    shutdown.cancel();
    serving.await.unwrap();
}

#[tokio::test]
async fn a_panic_ends_its_own_connection_alone() {
    let (plugs, sockets) = mpsc::unbounded_channel();
    let (_serving, _shutdown) = start(Plugs(sockets, Protocol::Http1));
    let mut clients = [(); 2].map(|()| {
        let (client, server) = duplex(64 * 1024);
        plugs.send(server).unwrap();
        client
    });
    let [unlucky, other] = &mut clients;
    other.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_until(other, "first").await;
    unlucky.write_all(b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(read_to_end(unlucky).await, "");
    let (mut newcomer, server) = duplex(64 * 1024);
    plugs.send(server).unwrap();
    newcomer.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_until(&mut newcomer, "Peer").await;
    let more = tokio::time::timeout(Duration::from_millis(50), other.read_u8()).await;
    assert!(more.is_err(), "the other's response has ended: {more:?}");
}

#[tokio::test]
async fn a_token_of_eight_kilobytes_is_not_too_large() {
    let (_serving, _shutdown, mut client) = plugged();
    let header = format!("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n", "x".repeat(8 * 1024));
    client.write_all(header.as_bytes()).await.unwrap();
    assert!(read_until(&mut client, "\r\n\r\n").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn shutdown_lets_responses_end() {
    let (serving, shutdown, mut client) = plugged();
    client.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_until(&mut client, "first").await;
    shutdown.cancel();
    let rest = read_to_end(&mut client).await;
    assert_eq!(rest.trim_start_matches("\r\n"), "4\r\nlast\r\n0\r\n\r\n");
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_the_server_leaves_is_answered_once() {
    let (plugs, sockets) = mpsc::unbounded_channel();
    let (serving, shutdown) = start(Plugs(sockets, Protocol::Http1));
    let [mut stubborn, mut late] = [(); 2].map(|()| duplex(64 * 1024)).map(|(client, server)| (client, Some(server)));
    plugs.send(stubborn.1.take().unwrap()).unwrap();
    stubborn.0.write_all(b"GET /stubborn HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_until(&mut stubborn.0, "first").await;
    shutdown.cancel();
    tokio::time::sleep(Duration::from_secs(1)).await;
    plugs.send(late.1.take().unwrap()).unwrap();
    late.0.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let answer = read_to_end(&mut late.0).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    drop(stubborn);
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_ever() {
    let (serving, shutdown, mut client) = plugged();
    client.write_all(b"GET /stubborn HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_until(&mut client, "first").await;
    let started = tokio::time::Instant::now();
    shutdown.cancel();
    serving.await.unwrap();
    assert_eq!(started.elapsed().as_secs(), Options::default().drain_timeout.as_secs());
    assert_eq!(read_to_end(&mut client).await.trim_start_matches("\r\n"), "", "cut off without the last chunk");
}

#[tokio::test]
async fn shutdown_closes_idle_connections_and_the_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (serving, shutdown) = start(listener);
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let own = client.local_addr().unwrap();
    read_until(&mut client, &format!("Some(Peer({own}))")).await;
    shutdown.cancel();
    serving.await.unwrap();
    assert_eq!(read_to_end(&mut client).await, "");
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test(start_paused = true)]
async fn a_failing_accept_is_tried_again_after_a_pause() {
    let (plugs, sockets) = mpsc::unbounded_channel();
    let (mut client, server) = duplex(1024);
    plugs.send(server).unwrap();
    let failures = [
        io::Error::other("too many open files"),
        io::Error::other("too many open files"),
        ErrorKind::ConnectionAborted.into(),
    ];
    let started = tokio::time::Instant::now();
    let (_serving, _shutdown) = start(Failing(failures.into(), Plugs(sockets, Protocol::Http1)));
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_until(&mut client, "Peer").await;
    assert_eq!(started.elapsed().as_millis(), (FIRST_PAUSE * 3).as_millis(), "10 ms, then 20 ms, then none");
}
