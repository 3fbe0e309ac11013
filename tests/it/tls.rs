//! The server over TLS: both kinds of HTTP, certificates that change, clients that do not behave.

use std::{collections::HashMap, fs};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::client::TlsStream;

use crate::{
    documents::{insert, prepare},
    harness::{
        self, Database, PATIENCE, Role, Server, eventually, sse,
        tls::{self, Http2, Identity, Stream},
    },
    hostile::kernel_bytes,
    startup::refused,
};

/// More streams than users have by default.
const MANY: (&str, &str) = ("ROWCAST_MAX_CONNECTIONS_PER_USER", "100");

async fn serve(db: &Database, identity: &Identity) -> Server {
    let [certificate, key] = identity.settings();
    Server::start_with(db, &[certificate, key, MANY, ("ROWCAST_CONNECTS_PER_MINUTE", "1000")]).await
}

/// A stream over HTTP/1.1 and TLS.
async fn http1(server: &Server, identity: &Identity) -> sse::Client {
    let stream = tls::connect(&server.url(), &identity.certificate, &[b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let headers = format!("Authorization: Bearer {}\r\n", harness::token("ann"));
    let mut client =
        sse::Client::request_over(stream, "127.0.0.1", "GET", "/api/v1/realtime/sse", &headers, "").await.unwrap();
    assert_eq!(client.next_of("connection_status").await.json()["data"]["status"], "connected");
    client
}

async fn streams(http: &mut Http2, count: usize) -> Vec<Stream> {
    let token = harness::token("ann");
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(http.stream(&token).await);
    }
    streams
}

#[tokio::test]
async fn both_kinds_of_http_are_spoken_and_twenty_streams_fit_into_one_connection() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let identity = Identity::new();
    let server = serve(&db, &identity).await;
    let mut alone = http1(&server, &identity).await;
    let mut http = Http2::connect(&server, &identity).await;
    let mut streams = streams(&mut http, 20).await;
    for id in 1..=3 {
        insert(&app, id, "o1").await;
    }
    insert(&app, 4, "o2").await;
    for stream in &mut streams {
        stream.until(r#""key":"3""#).await;
        let keys: Vec<&str> = stream.seen.split(r#""key":""#).skip(1).map(|rest| &rest[..1]).collect();
        assert_eq!(keys, ["1", "2", "3"]);
    }
    for key in ["1", "2", "3"] {
        assert_eq!(alone.next_of("document_processing").await.json()["key"], key);
    }
    assert_eq!(http.get("/livez", None).await.status(), 200, "beside them");
    drop((alone, http, streams));
    server.stop().await;
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_who_comes_and_open_streams_go_on() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let identity = Identity::new();
    let server = serve(&db, &identity).await;
    let mut old = http1(&server, &identity).await;
    let mut http = Http2::connect(&server, &identity).await;
    let mut old_too = http.stream(&harness::token("ann")).await;

    identity.renew();
    server.signal("HUP");
    let shows = async || tls::connect(&server.url(), &identity.certificate, &[]).await.ok().map(drop);
    eventually("the new certificate to be shown", shows).await;
    identity.renew();
    eventually("the one after it to be noticed without a signal", shows).await;

    // Another key alone does not fit.
    let good = fs::read(&identity.key).unwrap();
    fs::write(&identity.key, fs::read(&Identity::new().key).unwrap()).unwrap();
    server.signal("HUP");
    let kept = "the certificate has changed and cannot be used: the one before it is kept";
    eventually("it to be refused", async || server.log().contains(kept).then_some(())).await;
    assert!(shows().await.is_some(), "the one before it is shown");
    fs::remove_file(&identity.key).unwrap();
    eventually("that to be said", async || server.log().contains("key.pem cannot be read").then_some(())).await;
    assert!(shows().await.is_some(), "without any key there");
    assert!(!server.log().contains("PRIVATE"), "a key in the log");
    fs::write(&identity.key, good).unwrap();

    insert(&app, 1, "o1").await;
    assert_eq!(old.next_of("document_processing").await.json()["key"], "1");
    old_too.until(r#""key":"1""#).await;
    drop((old, http, old_too));
    server.stop().await;
}

#[tokio::test]
async fn files_that_are_of_no_use_are_refused_at_start() {
    let (one, other) = (Identity::new(), Identity::new());
    let db = Database::new().await;
    let url = db.url_as(Role::Server);
    for (certificate, key, expected) in [
        (&*one.certificate, &*other.key, "cannot be used together"),
        (&one.certificate, "/nowhere/key.pem", "/nowhere/key.pem cannot be read, which --tls-key or ROWCAST_TLS_KEY"),
        (&one.key, &one.key, "holds no certificate in PEM format; --tls-cert or ROWCAST_TLS_CERT"),
        (&one.certificate, &one.certificate, "holds no private key in PEM format"),
    ] {
        let said = refused(&["serve", "--tls-cert", certificate, "--tls-key", key], Some(&url)).await;
        assert!(said.contains(expected) && !said.contains("PRIVATE"), "{said}");
    }
    let said = refused(&["serve", "--tls-cert", &one.certificate], Some(&url)).await;
    assert!(said.contains("--tls-key"), "{said}");
}

#[tokio::test]
async fn who_never_finishes_a_handshake_or_speaks_in_clear_keeps_nobody_waiting() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let identity = Identity::new();
    let server = serve(&db, &identity).await;
    let address = server.url().strip_prefix("https://").unwrap().to_owned();
    let mut silent = Vec::new();
    for n in 0..200 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        if n % 2 == 0 {
            // The beginning of a greeting.
            stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
        }
        silent.push(stream);
    }
    let mut clear = TcpStream::connect(&address).await.unwrap();
    clear.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // It may be a reset.
    let _ = timeout(PATIENCE, clear.read_to_end(&mut answer)).await.expect("it is not refused");
    assert!(!answer.windows(4).any(|piece| piece == b"HTTP"), "it is answered in clear");
    let mut ann = http1(&server, &identity).await;
    insert(&app, 1, "o1").await;
    assert_eq!(ann.next_of("document_processing").await.json()["key"], "1");
    for stream in &mut silent {
        timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.expect("it is waited for for ever").ok();
    }
    drop(ann);
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_leaves_says_so_on_every_stream_of_a_connection() {
    let db = Database::new().await;
    prepare(&db).await;
    let identity = Identity::new();
    let mut server = serve(&db, &identity).await;
    let mut http = Http2::connect(&server, &identity).await;
    let mut streams = streams(&mut http, 10).await;
    server.signal("TERM");
    for stream in &mut streams {
        stream.finish().await;
        assert!(stream.seen.contains(r#""status":"closing","reason":"unavailable""#), "{}", stream.seen);
    }
    timeout(PATIENCE, http.connection).await.expect("the connection stays open").unwrap().unwrap();
    server.wait_for_end().await;
}

/// Streams of one connection that is not read.
const SLEEPING: usize = 20;

/// Documents of 20 KB that pass meanwhile.
const DOCUMENTS: i64 = 150;

/// What a server may hold for each of them: what has been asked for but not sent, the chunk that it is at, a page of history.
const STREAM_BYTES: u64 = 256 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_not_read_costs_little_and_delays_no_stream_of_another() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let identity = Identity::new();
    let [certificate, key] = identity.settings();
    let settings = [certificate, key, MANY, ("ROWCAST_CONNECTS_PER_MINUTE", "1000"), ("ROWCAST_LOG_MIB", "1")];
    let server = Server::start_with(&db, &settings).await;
    let mut awake = Http2::connect(&server, &identity).await;
    let mut reader = awake.stream(&harness::token("ben")).await;

    let mut asleep = sleeper(&server, &identity).await;
    let before = server.resident_bytes();
    let load = "INSERT INTO documents SELECT n, 'o1', string_agg(md5(random()::text), '') FROM generate_series(1, $1::bigint) n, generate_series(1, 625) GROUP BY n ORDER BY n";
    app.execute(load, &[&DOCUMENTS]).await.unwrap();
    reader.until(&format!(r#""key":"{DOCUMENTS}""#)).await;
    assert!(kernel_bytes(&server) > 0, "nobody is held up: the test tests nothing");
    if let Some(before) = before {
        let most = SLEEPING as u64 * STREAM_BYTES + (8 << 20);
        // What is free goes back to the system after two seconds.
        let grown = eventually("the server holds too much", async || {
            let grown = server.resident_bytes()?.saturating_sub(before);
            (grown < most).then_some(grown)
        });
        println!("{SLEEPING} streams that are not read: {} bytes", grown.await);
    }
    // Who wakes up has lost nothing.
    every_stream_says(&mut asleep, &format!(r#""key":"{DOCUMENTS}""#)).await;
    drop((asleep, awake, reader));
    server.stop().await;
}

/// A connection with live streams that is not read any more, by hand: a client's library would go on reading.
async fn sleeper(server: &Server, identity: &Identity) -> TlsStream<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let stream = socket.connect(server.url().strip_prefix("https://").unwrap().parse().unwrap()).await.unwrap();
    let mut stream = tls::handshake(stream, &identity.certificate, &[b"h2"]).await.unwrap();
    // It would take a gigabyte of each.
    let windows = [frame(4, 0, 0, &[0, 4, 0x40, 0, 0, 0]), frame(8, 0, 0, &[0x40, 0, 0, 0])].concat();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&windows).await.unwrap();
    let authorization = format!("Bearer {}", harness::token("ann"));
    // GET, https, and the names of path, host and token by number.
    let head = [
        &[0x82, 0x87, 4][..],
        &text("/api/v1/realtime/sse"),
        &[1],
        &text("127.0.0.1"),
        &[0x0f, 23 - 15],
        &text(&authorization),
    ];
    for n in 0..u32::try_from(SLEEPING).unwrap() {
        stream.write_all(&frame(1, 5, 2 * n + 1, &head.concat())).await.unwrap();
    }
    every_stream_says(&mut stream, r#""status":"connected""#).await;
    stream
}

/// Reads until each stream has said this.
async fn every_stream_says(connection: &mut TlsStream<TcpStream>, expected: &str) {
    let mut said: HashMap<u32, Vec<u8>> = HashMap::new();
    let mut waiting = SLEEPING;
    while waiting > 0 {
        let mut head = [0; 9];
        timeout(PATIENCE, connection.read_exact(&mut head)).await.expect("nothing comes").unwrap();
        let [a, b, c, kind, _, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        timeout(PATIENCE, connection.read_exact(&mut payload)).await.expect("nothing comes").unwrap();
        if kind == 0 {
            let said = said.entry(u32::from_be_bytes(stream)).or_default();
            said.extend(payload);
            waiting -= usize::from(contains(said, expected));
            // What is looked for may be cut in two.
            said.drain(..said.len().saturating_sub(expected.len() - 1));
        }
    }
}

/// A frame of HTTP/2: its type, flags, stream and payload.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A text in a head of HTTP/2, with its length before it.
pub(crate) fn text(text: &str) -> Vec<u8> {
    let length = match text.len() {
        short @ ..127 => vec![short],
        long => vec![127, ((long - 127) % 128) | 128, (long - 127) / 128],
    };
    length.iter().map(|&byte| u8::try_from(byte).unwrap()).chain(text.bytes()).collect()
}

fn contains(bytes: &[u8], what: &str) -> bool {
    bytes.windows(what.len()).any(|window| window == what.as_bytes())
}
