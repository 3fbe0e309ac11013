//! Requests as bytes, at the real accept loop: nonsense, and what is meant to be read in two ways.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use proptest::prelude::*;

use crate::{
    harness::{Database, PATIENCE, Server},
    try_out,
};

const CASES: u32 = 600;

/// Who answers nothing in this time waits for more.
const SILENCE: Duration = Duration::from_millis(60);

/// In what is sent, wherever it can be.
const NEEDLE: &str = "n33dle";

/// The status of an answer.
pub(crate) fn status(answer: &str) -> Option<u16> {
    // Who asks in HTTP/1.0 is answered in it.
    let status = answer.strip_prefix("HTTP/1.1 ").or_else(|| answer.strip_prefix("HTTP/1.0 "))?;
    status.get(..3)?.parse().ok()
}

/// Sends a whole request, and reads what is answered: to the end, or of a stream to its first heartbeat.
pub(crate) fn exchange(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may have been answered before it was read to its end.
    let _ = stream.write_all(request);
    let (mut answer, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => answer.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => panic!("no answer"),
            _ => break,
        }
        if answer.windows(13).any(|window| window == b"event: cursor") {
            break;
        }
    }
    String::from_utf8(answer).unwrap()
}

/// Sends any bytes, and reads until the server closes, or waits for more.
fn send(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    let _ = stream.write_all(bytes);
    let (mut answer, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    while let Ok(count) = stream.read(&mut buffer) {
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..count]);
    }
    answer
}

/// The answers in what came, by their status lines: all of ours begin at the start of a line.
fn statuses(answers: &str) -> Vec<u16> {
    answers.match_indices("HTTP/1.").filter_map(|(at, _)| status(&answers[at..])).collect()
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let start = [
        "GET /n33dle HTTP/1.1",
        "GET /n33dle HTTP/1.0",
        "GET /n33dle HTTP/9.9",
        "GET http://n33dle/n33dle HTTP/1.1",
        "GET //n33dle HTTP/1.1",
        "GET /../../etc/n33dle HTTP/1.1",
        "GET /%2e%2e/%00n33dle HTTP/1.1",
        "POST /n33dle HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT n33dle:443 HTTP/1.1",
        "TRACE /n33dle HTTP/1.1",
        "N33DLE / HTTP/1.1",
        "GET /n33dle",
        "GET",
        "",
        " GET /n33dle HTTP/1.1",
        "GET\t/n33dle\tHTTP/1.1",
        "PRI * HTTP/2.0",
        "GET /n33dle?n33dle=%zz#n33dle HTTP/1.1",
        "DELETE /api/v1/realtime/events HTTP/1.1",
        "POST /api/v1/realtime/sse HTTP/1.1",
    ];
    prop::sample::select(start.to_vec()).prop_map(|line| line.as_bytes().to_vec())
}

fn header() -> impl Strategy<Value = Vec<u8>> {
    let sample = [
        "Host: a",
        "Host: n33dle",
        "Host: a\r\nHost: b",
        "Host:",
        "Content-Length: 0",
        "Content-Length: 5",
        "Content-Length: 5, 6",
        "Content-Length: -1",
        "Content-Length: +5",
        "Content-Length: 18446744073709551616",
        "Content-Length : 5",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: n33dle",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\tchunked",
        "Transfer-Encoding: xchunked",
        "Expect: 100-continue",
        "Connection: close",
        "Connection: upgrade",
        "Upgrade: h2c",
        "X-A: b\r\n folded n33dle",
        "\tX-A: b",
        "X-A\0: n33dle",
        "X A: n33dle",
        ": n33dle",
        "n33dle",
        "Authorization: Bearer n33dle",
        "X-A: a\rb",
        "X-A: a\nX-B: b",
        "Range: bytes=0-1",
    ];
    prop_oneof![
        6 => prop::sample::select(sample.to_vec()).prop_map(|line| line.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (1_usize..20_000).prop_map(|length| format!("X-Long: {}", NEEDLE.repeat(length / NEEDLE.len())).into_bytes()),
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let sample = [
        "",
        "12345",
        "5\r\nhello\r\n0\r\n\r\n",
        "0\r\n\r\n",
        "ffffffffffffffff\r\n",
        "-1\r\nx",
        "5;n33dle\r\nhello\r\n0\r\n\r\n",
        "0\r\nTrailer: n33dle\r\n\r\n",
        "\r\n\r\n",
        "g\r\nhello",
        "0\r\n\r\nGET /n33dle HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    prop_oneof![
        4 => prop::sample::select(sample.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let end = prop::sample::select(vec![&b"\r\n"[..], b"\r\n", b"\r\n", b"\n", b"\r", b"\0"]);
    let parts = (line(), prop::collection::vec(header(), 0..6), body(), end);
    parts.prop_map(|(line, headers, body, end)| {
        let mut bytes = [&line, end].concat();
        for header in headers {
            bytes.extend([&header, end].concat());
        }
        [&bytes, end, &body].concat()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_bytes_come_the_server_stays_and_repeats_none_of_them() {
    let db = Database::new().await;
    let server = Server::start(&db).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let bytes = prop_oneof![
        6 => request(),
        2 => prop::collection::vec(request(), 2..4).prop_map(|requests| requests.concat()),
        1 => prop::collection::vec(any::<u8>(), 0..2_000),
    ];
    tokio::task::block_in_place(|| {
        try_out(CASES, &bytes, |bytes| {
            let answer = send(&address, &bytes);
            let answer = String::from_utf8_lossy(&answer);
            let sent = bytes.escape_ascii();
            prop_assert!(answer.is_empty() || status(&answer).is_some(), "{}\n{}", sent, answer);
            prop_assert!(!answer.contains(NEEDLE), "{}\n{}", sent, answer);
            // 100 is what `Expect: 100-continue` asks for.
            let documented = |status: &u16| matches!(status, 100 | 200 | 400..=499);
            prop_assert!(statuses(&answer).iter().all(documented), "{}\n{}", sent, answer);
            Ok(())
        });
    });
    assert!(server.is_ready().await);
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.stop().await;
}

/// A request whose end can be read in two ways could hide another one from a proxy in between. Whoever sends one gets one answer at most.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_ends_in_two_ways_does_not_bring_another_one() {
    const HIDDEN: &str = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";
    let db = Database::new().await;
    let server = Server::start(&db).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let all = 5 + HIDDEN.len();
    let heads = [
        format!("Content-Length: {all}\r\nTransfer-Encoding: chunked"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {all}"),
        format!("Content-Length: 0\r\nContent-Length: {all}"),
        format!("Content-Length: {all}\r\nContent-Length: 0"),
        format!("Content-Length: 0, {all}"),
        "Transfer-Encoding: chunked, identity".to_owned(),
        "Transfer-Encoding: xchunked".to_owned(),
        format!("Transfer-Encoding : chunked\r\nContent-Length: {all}"),
        format!("Transfer-Encoding:\x0bchunked\r\nContent-Length: {all}"),
        format!("X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: {all}"),
        format!("Content-Length: +{all}"),
        format!("Content-Length : {all}"),
    ];
    for method in ["GET", "POST"] {
        for head in &heads {
            let request = format!("{method} /nothing HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n0\r\n\r\n{HIDDEN}");
            let answer = tokio::task::block_in_place(|| send(&address, request.as_bytes()));
            let answer = String::from_utf8(answer).unwrap();
            assert!(statuses(&answer).len() <= 1 && !answer.contains(" 200 "), "{request}\n{answer}");
        }
    }
    server.stop().await;
}

/// CONNECT has no path, which routes take for granted.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_path_is_answered_and_ends_nothing() {
    let db = Database::new().await;
    let server = Server::start(&db).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    for line in ["CONNECT a:443", "OPTIONS *", "GET http://a", "GET *"] {
        let request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = tokio::task::block_in_place(|| exchange(&address, request.as_bytes()));
        let expected = if line.starts_with("GET http") { 200 } else { 404 };
        assert_eq!(status(&answer), Some(expected), "{request}{answer}");
    }
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.stop().await;
}
