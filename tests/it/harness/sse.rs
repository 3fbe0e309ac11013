//! A client that hides nothing: a TCP stream, HTTP/1.1 by hand, and Server-Sent Events as the standard reads them.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// The route of the stream.
const PATH: &str = "/api/v1/realtime/sse";

/// One event as it came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_field_names, reason = "the fields are called what the standard calls them")]
pub(crate) struct Event {
    /// The `id:` field, if the event has one of its own.
    pub(crate) id: Option<String>,
    /// The `event:` field.
    pub(crate) event: String,
    /// The `data:` lines.
    pub(crate) data: String,
    /// The `retry:` field.
    pub(crate) retry: Option<u64>,
}

impl Event {
    /// The data as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

/// A connection of any kind.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// One open response.
pub(crate) struct Client {
    stream: Box<dyn Io>,
    /// The status code.
    pub(crate) status: u16,
    /// The status line and the headers, as they came.
    pub(crate) head: String,
    /// What came of the body, without the chunks' framing.
    pub(crate) body: Vec<u8>,
    /// What came and is not decoded yet.
    pending: Vec<u8>,
    chunked: bool,
    /// Up to where `body` has been made into events.
    parsed: usize,
    ended: bool,
}

impl Client {
    /// Opens the stream, which must succeed.
    pub(crate) async fn connect(url: &str, token: &str, cursor: Option<&str>) -> Self {
        Self::connect_with(url, "", token, cursor).await
    }

    /// Opens the stream with a query (`subscriptions=…&organizationId=…`), which must succeed.
    pub(crate) async fn connect_with(url: &str, query: &str, token: &str, cursor: Option<&str>) -> Self {
        let cursor = cursor.map(|cursor| format!("Last-Event-ID: {cursor}\r\n")).unwrap_or_default();
        let headers = format!("Accept: text/event-stream\r\nAuthorization: Bearer {token}\r\n{cursor}");
        let mut client = Self::request(url, "GET", &format!("{PATH}?{query}"), &headers, "").await;
        if client.status != 200 {
            let body = client.rest().await;
            panic!("{}\n{body}", client.head);
        }
        client
    }

    /// Opens the stream, if the server is there and takes it.
    pub(crate) async fn try_connect(url: &str, token: &str, cursor: Option<&str>) -> io::Result<Self> {
        let cursor = cursor.map(|cursor| format!("Last-Event-ID: {cursor}\r\n")).unwrap_or_default();
        let headers = format!("Authorization: Bearer {token}\r\n{cursor}");
        let client = Self::try_request(url, "GET", PATH, &headers, "").await?;
        if client.status == 200 { Ok(client) } else { Err(io::Error::other(client.head)) }
    }

    /// Sends a request and reads the answer's head.
    pub(crate) async fn request(url: &str, method: &str, target: &str, headers: &str, body: &str) -> Self {
        Self::try_request(url, method, target, headers, body).await.unwrap()
    }

    /// The same, where nobody may answer.
    pub(crate) async fn try_request(
        url: &str,
        method: &str,
        target: &str,
        headers: &str,
        body: &str,
    ) -> io::Result<Self> {
        let address = url.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address).await?;
        Self::request_over(stream, address, method, target, headers, body).await
    }

    /// Sends a request over a connection that the test has opened in its own way.
    pub(crate) async fn request_over(
        mut stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        address: &str,
        method: &str,
        target: &str,
        headers: &str,
        body: &str,
    ) -> io::Result<Self> {
        let length = body.len();
        let request =
            format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
        stream.write_all(request.as_bytes()).await?;
        let mut client = Self {
            stream: Box::new(stream),
            status: 0,
            head: String::new(),
            body: Vec::new(),
            pending: Vec::new(),
            chunked: false,
            parsed: 0,
            ended: false,
        };
        let end = loop {
            if let Some(end) = find(&client.pending, b"\r\n\r\n") {
                break end;
            }
            let read = timeout(PATIENCE, client.read()).await.expect("a request is not answered");
            if !read {
                return Err(io::Error::other("the connection closed before the head was complete"));
            }
        };
        client.head = String::from_utf8(client.pending.drain(..end + 4).collect()).unwrap();
        client.status = client.head[9..12].parse().unwrap();
        client.chunked = client.header("transfer-encoding").is_some_and(|value| value == "chunked");
        client.decode();
        Ok(client)
    }

    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    /// The next event; `None` when the stream has ended. Nothing is lost when this is cancelled.
    pub(crate) async fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = find(&self.body[self.parsed..], b"\n\n") {
                let block = String::from_utf8(self.body[self.parsed..self.parsed + end].to_vec()).unwrap();
                self.parsed += end + 2;
                // As in a browser, a block without data is no event (ours are comments and `retry:`).
                match parse(&block) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            if self.ended {
                return None;
            }
            let more = timeout(PATIENCE, self.read()).await;
            let more = more.unwrap_or_else(|_| panic!("nothing came for {PATIENCE:?} after\n{}", self.tail()));
            self.ended |= !more;
        }
    }

    /// The next event of this type; others are passed over, but not for ever: heartbeats always come.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Event {
        let next = async {
            loop {
                let Some(event) = self.next_event().await else { panic!("the stream ended before a {kind} event") };
                if event.event == kind {
                    return event;
                }
            }
        };
        timeout(PATIENCE, next).await.unwrap_or_else(|_| panic!("no {kind} event came"))
    }

    /// Everything up to the end of the response, as text.
    pub(crate) async fn rest(&mut self) -> String {
        let length = self.header("content-length").map(|length| length.parse::<usize>().unwrap());
        while !self.ended && length.is_none_or(|length| self.body.len() < length) {
            self.ended |= !timeout(PATIENCE, self.read()).await.expect("the response does not end");
        }
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Reads once; false at the end.
    async fn read(&mut self) -> bool {
        // Straight into what is kept: a cancelled read has read nothing.
        let open = matches!(self.stream.read_buf(&mut self.pending).await, Ok(count) if count > 0);
        if !self.head.is_empty() {
            self.decode();
        }
        open && !self.ended
    }

    /// Takes whole chunks out of what is pending.
    fn decode(&mut self) {
        if !self.chunked {
            self.body.append(&mut self.pending);
            return;
        }
        while let Some(line) = find(&self.pending, b"\r\n") {
            let size = std::str::from_utf8(&self.pending[..line]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            let (start, end) = (line + 2, line + 2 + size);
            if self.pending.len() < end + 2 {
                return;
            }
            assert_eq!(&self.pending[end..end + 2], b"\r\n", "a chunk is longer than it says");
            self.body.extend_from_slice(&self.pending[start..end]);
            self.pending.drain(..end + 2);
            self.ended |= size == 0;
        }
    }

    fn tail(&self) -> String {
        String::from_utf8_lossy(&self.body[self.body.len().saturating_sub(2_000)..]).into_owned()
    }
}

/// An event, if the block has data. Ours never have a carriage return, which would end a line too.
fn parse(block: &str) -> Option<Event> {
    assert!(!block.contains('\r'), "a carriage return in {block:?}");
    let mut event = Event::default();
    let mut data = None::<String>;
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => event.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut event.event),
            "retry" => event.retry = value.parse().ok(),
            "data" => match &mut data {
                Some(data) => *data = format!("{data}\n{value}"),
                None => data = Some(value.to_owned()),
            },
            // A comment, or a field that the standard ignores.
            _ => {}
        }
    }
    event.data = data?;
    Some(event)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
