//! Streams over HTTP/1.1, which leave hyper with their first chunk.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{Stream, StreamExt};

use super::*;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A server that answers every request with these chunks, the number of streams that it is at, and what ends it.
struct Server {
    serving: JoinHandle<()>,
    shutdown: CancellationToken,
    open: Arc<AtomicUsize>,
}

/// Counts a stream for as long as somebody holds it.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Server {
    /// Over a socket with so much room.
    fn start<C: Stream<Item = Bytes> + Send + 'static>(
        room: usize,
        protocol: Protocol,
        chunks: impl Fn(CancellationToken) -> C + Clone + Send + Sync + 'static,
    ) -> (Self, DuplexStream) {
        let (plugs, sockets) = mpsc::unbounded_channel();
        let (client, server) = duplex(room);
        plugs.send(server).unwrap();
        let shutdown = CancellationToken::new();
        let open = Arc::new(AtomicUsize::new(0));
        let (ending, opened) = (shutdown.clone(), Arc::clone(&open));
        let service = service_fn(move |_| {
            opened.fetch_add(1, Ordering::SeqCst);
            let open = Open(Arc::clone(&opened));
            let mut response = Response::new(Full::from("not this").boxed());
            let chunks = chunks(ending.clone()).inspect(move |_| _ = &open);
            response.extensions_mut().insert(Streamed::new(chunks));
            ready(Ok::<_, Infallible>(response))
        });
        let serving = tokio::spawn(serve(Plugs(sockets, protocol), service, Options::default(), shutdown.clone()));
        (Self { serving, shutdown, open }, client)
    }

    async fn until_nobody_is_left(&self) {
        let nobody = async {
            while self.open.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), nobody).await.expect("somebody is left");
    }
}

/// One chunk, and another at shutdown.
fn endless(shutdown: CancellationToken) -> impl Stream<Item = Bytes> + Send {
    let last = stream::once(async move {
        shutdown.cancelled_owned().await;
        Bytes::from_static(b"last")
    });
    stream::iter([Bytes::from_static(b"first")]).chain(last)
}

/// One chunk, and no end.
fn stubborn(_: CancellationToken) -> impl Stream<Item = Bytes> + Send {
    stream::iter([Bytes::from_static(b"first")]).chain(stream::pending())
}

/// The chunks of a response, without their framing; the last of them has to be there.
fn dechunked(response: &[u8]) -> Vec<Vec<u8>> {
    let head = response.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let (mut rest, mut chunks) = (&response[head..], Vec::new());
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        let chunk = &rest[line + 2..];
        assert_eq!(&chunk[length..length + 2], b"\r\n");
        if length == 0 {
            assert_eq!(chunk.len(), 2, "nothing comes after the last chunk");
            return chunks;
        }
        chunks.push(chunk[..length].to_vec());
        rest = &chunk[length + 2..];
    }
}

#[tokio::test]
async fn a_stream_is_chunks_until_it_ends_and_its_connection_with_it() {
    let (server, mut client) = Server::start(64 * 1024, Protocol::Http1, endless);
    client.write_all(GET).await.unwrap();
    let head = read_until(&mut client, "5\r\nfirst\r\n").await;
    let (head, first) = head.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("transfer-encoding: chunked"), "{head}");
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(first, "5\r\nfirst\r\n");
    server.shutdown.cancel();
    assert_eq!(read_to_end(&mut client).await, "4\r\nlast\r\n0\r\n\r\n");
    server.serving.await.unwrap();
    assert_eq!(server.open.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_stream_that_ends_at_once_is_whole() {
    for chunks in [vec![], vec![Bytes::new()], vec![Bytes::from_static(b"closing"), Bytes::new()]] {
        let expected: Vec<Vec<u8>> =
            chunks.iter().filter(|chunk| !chunk.is_empty()).map(|chunk| chunk.to_vec()).collect();
        let (server, mut client) = Server::start(1024, Protocol::Http1, move |_| stream::iter(chunks.clone()));
        client.write_all(GET).await.unwrap();
        assert_eq!(dechunked(read_to_end(&mut client).await.as_bytes()), expected);
        server.until_nobody_is_left().await;
    }
}

/// Not even the head fits into the socket at once, nor does any chunk.
#[tokio::test]
async fn what_does_not_fit_into_the_socket_is_written_in_pieces() {
    let chunks: Vec<Bytes> = [1, 15, 16, 2_040, 2_041, 2_042, 2_048, 5_000, 70_000, 3]
        .iter()
        .map(|&length| (0..length).map(|n: u32| n.to_le_bytes()[0]).collect())
        .collect();
    for room in [1, 7, 64, 1_000, 2_050] {
        let sent = chunks.clone();
        let (server, mut client) = Server::start(room, Protocol::Http1, move |_| stream::iter(sent.clone()));
        let (mut reader, mut writer) = tokio::io::split(&mut client);
        let mut response = Vec::new();
        let (asked, read) = tokio::join!(writer.write_all(GET), reader.read_to_end(&mut response));
        asked.unwrap();
        read.unwrap();
        assert_eq!(dechunked(&response), chunks, "with room for {room}");
        server.until_nobody_is_left().await;
    }
}

#[tokio::test]
async fn a_second_request_on_the_same_connection_is_not_answered() {
    let (server, mut client) = Server::start(64 * 1024, Protocol::Http1, endless);
    client.write_all(&[GET, GET].concat()).await.unwrap();
    read_until(&mut client, "first").await;
    client.write_all(GET).await.unwrap();
    server.shutdown.cancel();
    assert_eq!(read_to_end(&mut client).await.trim_start_matches("\r\n"), "4\r\nlast\r\n0\r\n\r\n");
    server.serving.await.unwrap();
}

#[tokio::test]
async fn a_client_that_goes_is_noticed_whatever_it_had_said() {
    for said in [Vec::new(), GET.to_vec(), vec![b'x'; 100_000]] {
        let (server, mut client) = Server::start(64 * 1024, Protocol::Http1, stubborn);
        client.write_all(GET).await.unwrap();
        read_until(&mut client, "first").await;
        client.write_all(&said).await.unwrap();
        assert_eq!(server.open.load(Ordering::SeqCst), 1);
        drop(client);
        server.until_nobody_is_left().await;
    }
}

/// As to hyper, for which a request whose sender has hung up is none.
#[tokio::test]
async fn a_client_that_says_it_will_say_no_more_has_gone() {
    let (server, mut client) = Server::start(64 * 1024, Protocol::Http1, stubborn);
    client.write_all(GET).await.unwrap();
    read_until(&mut client, "first").await;
    client.shutdown().await.unwrap();
    server.until_nobody_is_left().await;
}

/// One that never stops keeps neither its own stream from being written nor others from their turn, which are on the same thread here.
#[tokio::test]
async fn who_talks_for_ever_is_not_listened_to() {
    let (server, client) = Server::start(64 * 1024, Protocol::Http1, |_| {
        stream::unfold(0, async |n| {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Some((Bytes::from_static(b"tick"), n + 1))
        })
    });
    let (mut reader, mut writer) = tokio::io::split(client);
    writer.write_all(GET).await.unwrap();
    let talking = tokio::spawn(async move { while writer.write_all(&[b'x'; 4096]).await.is_ok() {} });
    for _ in 0..20 {
        read_until(&mut reader, "4\r\ntick\r\n").await;
    }
    talking.abort();
    drop((reader, talking.await));
    server.until_nobody_is_left().await;
}

/// The client reads nothing, so that the server is where the room in the socket ends: at the head, or in a chunk.
#[tokio::test(start_paused = true)]
async fn a_stream_is_cut_off_wherever_it_is() {
    for room in [1, 20, 200, 64 * 1024] {
        let (server, mut client) = Server::start(room, Protocol::Http1, |_| {
            stream::iter([Bytes::from(vec![b'x'; 10_000])]).chain(stream::pending())
        });
        let mut asking = GET;
        while !asking.is_empty() {
            let written = client.write(asking).await.unwrap();
            asking = &asking[written..];
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let started = tokio::time::Instant::now();
        server.shutdown.cancel();
        server.serving.await.unwrap();
        assert_eq!(started.elapsed().as_secs(), Options::default().drain_timeout.as_secs(), "with room for {room}");
        assert_eq!(server.open.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn who_does_not_know_chunks_gets_none() {
    let (server, mut client) = Server::start(64 * 1024, Protocol::Http1, endless);
    client.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let head = read_until(&mut client, "first").await;
    assert!(head.ends_with("\r\n\r\nfirst") && !head.contains("chunked"), "{head}");
    server.shutdown.cancel();
    assert_eq!(read_to_end(&mut client).await, "last");
    server.serving.await.unwrap();
}

#[tokio::test]
async fn who_asks_for_the_head_alone_gets_it_alone() {
    let (server, mut client) = Server::start(64 * 1024, Protocol::Http1, stubborn);
    client.write_all(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let head = read_to_end(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    server.until_nobody_is_left().await;
}

/// It is the chunks that are kept, with the socket: several hundred bytes more for each would be as many megabytes for a crowd.
#[test]
fn the_task_of_a_stream_is_small() {
    let chunks: streamed::Chunks = Box::pin(stream::pending());
    let (io, _other) = duplex(1);
    let (bare, writer) = (size_of_val(&io), writer::Writer::new(io, chunks));
    assert!(size_of_val(&writer) <= bare + 80, "{} beside a socket of {bare}", size_of_val(&writer));
}
