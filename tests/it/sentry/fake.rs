//! A Sentry of the tests: takes envelopes as the real one does, takes them apart to the byte, and answers as it is told.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

/// One envelope as it came.
pub(super) struct Received {
    pub(super) head: String,
    /// Everything, for the search for what must not be in it.
    pub(super) text: String,
    pub(super) event: Value,
}

pub(super) struct FakeSentry {
    pub(super) dsn: String,
    received: mpsc::UnboundedReceiver<Received>,
    pub(super) requests: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

/// The key in its DSN.
pub(super) const KEY: &str = "c0ffee00c0ffee00c0ffee00c0ffee00";

impl FakeSentry {
    /// Answers with this: a status line and headers.
    pub(super) async fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dsn = format!("http://{KEY}@{}/42", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        let requests = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&requests);
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                if let Some(envelope) = receive(stream, answer).await {
                    // The test may have seen enough.
                    let _ = sender.send(envelope);
                }
            }
        });
        Self { dsn, received, requests, serving }
    }

    pub(super) async fn start() -> Self {
        Self::answering("200 OK").await
    }

    /// The next event.
    pub(super) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(crate::harness::PATIENCE, self.received.recv()).await;
        next.expect("nothing is told to Sentry").expect("the fake Sentry has failed")
    }

    /// The event that is already there, if one is.
    pub(super) fn already(&mut self) -> Option<Received> {
        self.received.try_recv().ok()
    }
}

impl Drop for FakeSentry {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(mut stream: TcpStream, answer: &str) -> Option<Received> {
    let mut request = Vec::new();
    let end = loop {
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let head = String::from_utf8(request[..end].to_vec()).unwrap();
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    let length: usize = length.expect("an envelope says how long it is").parse().unwrap();
    let mut body = request.split_off(end + 4);
    while body.len() < length {
        stream.read_buf(&mut body).await.ok()?;
    }
    let reply = format!("HTTP/1.1 {answer}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
    stream.write_all(reply.as_bytes()).await.ok()?;
    Some(Received { head, event: event(&body), text: String::from_utf8(body).unwrap() })
}

/// The event in an envelope: a line of headers, then items, each a line of headers and as many bytes as that says.
fn event(envelope: &[u8]) -> Value {
    let (headers, mut rest) = line(envelope);
    let mut found = None;
    while !rest.is_empty() {
        let (item, after) = line(rest);
        let length = usize::try_from(item["length"].as_u64().expect("an item says how long it is")).unwrap();
        let (payload, after) = after.split_at(length);
        let payload: Value = serde_json::from_slice(payload).unwrap();
        rest = after.strip_prefix(b"\n").unwrap_or(after);
        if item["type"] == "event" {
            let id = |of: &Value| of["event_id"].as_str().unwrap().replace('-', "");
            assert_eq!(id(&payload), id(&headers), "the envelope is of its event");
            assert!(found.replace(payload).is_none(), "two events in one envelope");
        }
    }
    found.expect("an envelope without an event")
}

fn line(bytes: &[u8]) -> (Value, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').expect("a line of headers ends");
    (serde_json::from_slice(&bytes[..end]).unwrap(), &bytes[end + 1..])
}
