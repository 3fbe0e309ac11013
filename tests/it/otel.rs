//! Spans reach a collector, those of the end too, and carry no token.

use std::process::Command;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

use crate::harness::{Database, PATIENCE, Server, sse};

/// Takes requests as a collector does, and passes each on: head and body.
async fn collector(listener: TcpListener, received: mpsc::UnboundedSender<(String, Vec<u8>)>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let (head, length) = loop {
            stream.read_buf(&mut request).await.unwrap();
            let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8(request[..end].to_vec()).unwrap().to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
            request.drain(..end + 4);
            break (head, length);
        };
        while request.len() < length {
            stream.read_buf(&mut request).await.unwrap();
        }
        received.send((head, request)).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
    }
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn spans_of_requests_reach_the_collector_without_a_token() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, mut received) = mpsc::unbounded_channel();
    let collecting = tokio::spawn(collector(listener, sender));
    let db = Database::new().await;
    // Sent at the end alone, which is what the program has to see to.
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "3600000")];
    let server = Server::start_with(&db, &settings).await;
    let target = "/api/v1/realtime/sse?access_token=hunter2&subscriptions=nothing";
    let refused = sse::Client::request(&server.url(), "GET", target, "Authorization: Bearer hunter2\r\n", "").await;
    assert_eq!(refused.status, 401);
    server.stop().await;

    let mut spans = Vec::new();
    while !holds(&spans, "/api/v1/realtime/sse") {
        let (head, body) = tokio::time::timeout(PATIENCE, received.recv()).await.expect("no span came").unwrap();
        assert!(
            head.starts_with("post /v1/traces http/1.1") && head.contains("content-type: application/x-protobuf"),
            "{head}"
        );
        spans.extend(body);
    }
    collecting.abort();
    // Strings stand in protobuf as they are.
    for text in ["request", "service.name", "rowcast", "method", "status"] {
        assert!(holds(&spans, text), "{text} is not in the spans");
    }
    assert!(!holds(&spans, "hunter2"), "a token is in the spans");
}

#[test]
fn a_collector_that_is_not_there_stops_nobody() {
    let mut token = Command::new(env!("CARGO_BIN_EXE_rowcast"));
    token.args(["token", "--user", "ann"]).env("ROWCAST_JWT_SECRET", crate::harness::SECRET);
    let output = token.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9").output().unwrap();
    assert!(output.status.success() && !output.stdout.is_empty(), "{output:?}");
}
