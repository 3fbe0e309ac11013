//! One client: HTTP/1.1, chunks, lines, events.

use std::{net::TcpStream, sync::atomic::Ordering, time::Instant};

use memchr::{memchr, memmem};

use super::{Board, Seen};

/// The type of every event that is published here.
pub(crate) const EVENT_TYPE: &str = "document_processing";

/// The most that write at a time.
pub(crate) const WRITERS: usize = 8;

/// One client.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    /// How many of its events it has had.
    pub(super) had: u64,
    /// The last of its events that it was told, by who wrote it: writers overtake each other.
    last: [u64; WRITERS],
    place: Place,
    is_chunked: bool,
    has_begun: bool,
    /// What has come of a line that has not ended; of the head of the answer, all of it.
    line: Vec<u8>,
    /// Whether the block that has begun is one of the events published here, and its numbers.
    is_event: bool,
    numbers: Option<Numbers>,
}

/// What an event carries.
struct Numbers {
    k: u64,
    n: u64,
    writer: usize,
}

/// Where in the answer it is.
#[derive(Clone, Copy)]
enum Place {
    Head,
    /// In the line that says how long the next chunk is, as far as that has been read.
    Size(usize),
    /// In a chunk, with so much of it to come; or in an answer without chunks.
    Body(usize),
    /// In the end of line behind a chunk.
    AfterChunk,
}

impl Client {
    pub(super) fn new(stream: TcpStream, had_before: u64) -> Self {
        let mut last = [0; WRITERS];
        last[0] = had_before;
        Self {
            stream,
            had: 0,
            last,
            place: Place::Head,
            is_chunked: false,
            has_begun: false,
            line: Vec::new(),
            is_event: false,
            numbers: None,
        }
    }

    /// Takes what was read just now.
    pub(super) fn take(&mut self, mut bytes: &[u8], board: &Board, seen: &mut Seen) {
        let now = Instant::now();
        while let Some(&first) = bytes.first() {
            match self.place {
                Place::Head => {
                    self.line.push(first);
                    bytes = &bytes[1..];
                    if self.line.ends_with(b"\r\n\r\n") {
                        self.begin(board);
                    }
                }
                Place::Size(size) => {
                    bytes = &bytes[1..];
                    self.place = match first {
                        b'\n' => Place::Body(size),
                        b'\r' => Place::Size(size),
                        digit => {
                            Place::Size(size * 16 + char::from(digit).to_digit(16).expect("a chunk's size") as usize)
                        }
                    };
                }
                Place::Body(left) => {
                    let (body, rest) = bytes.split_at(left.min(bytes.len()));
                    self.read(body, now, board, seen);
                    bytes = rest;
                    let left = left - body.len();
                    self.place = if left == 0 { Place::AfterChunk } else { Place::Body(left) };
                }
                Place::AfterChunk => {
                    bytes = &bytes[1..];
                    if first == b'\n' {
                        self.place = Place::Size(0);
                    }
                }
            }
        }
    }

    fn begin(&mut self, board: &Board) {
        let head = String::from_utf8_lossy(&self.line).to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200"), "the answer was {head}");
        self.is_chunked = head.contains("transfer-encoding: chunked");
        self.place = if self.is_chunked { Place::Size(0) } else { Place::Body(usize::MAX) };
        self.line = Vec::new();
        // rowcast says when live delivery is certain; with others it is from here on.
        if !head.contains("x-accel-buffering") {
            self.count_as_begun(board);
        }
    }

    fn count_as_begun(&mut self, board: &Board) {
        if !std::mem::replace(&mut self.has_begun, true) {
            board.begun.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Takes lines, and keeps what has no end yet.
    fn read(&mut self, mut body: &[u8], now: Instant, board: &Board, seen: &mut Seen) {
        while let Some(end) = memchr(b'\n', body) {
            let (line, rest) = (&body[..end], &body[end + 1..]);
            if self.line.is_empty() {
                self.take_line(line, now, board, seen);
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.take_line(&whole, now, board, seen);
                whole.clear();
                self.line = whole;
            }
            body = rest;
        }
        self.line.extend_from_slice(body);
    }

    fn take_line(&mut self, line: &[u8], now: Instant, board: &Board, seen: &mut Seen) {
        if line.is_empty() {
            if let (true, Some(numbers)) = (std::mem::take(&mut self.is_event), self.numbers.take()) {
                self.take_event(&numbers, now, board, seen);
            }
        } else if let Some(event_type) = line.strip_prefix(b"event: ") {
            self.is_event = event_type == EVENT_TYPE.as_bytes();
            if !self.has_begun && event_type == b"connection_status" {
                self.count_as_begun(board);
            }
        } else if let Some(data) = line.strip_prefix(b"data: ") {
            self.numbers = numbers(data);
        }
    }

    fn take_event(&mut self, numbers: &Numbers, now: Instant, board: &Board, seen: &mut Seen) {
        seen.deliveries += 1;
        let last = &mut self.last[numbers.writer];
        if numbers.n <= *last {
            seen.repeated += 1;
            return;
        }
        seen.missed += numbers.n - *last - 1;
        *last = numbers.n;
        self.had += 1;
        if board.recording.load(Ordering::Relaxed) {
            let latency = u64::try_from(board.age(numbers.k, now).as_micros()).unwrap();
            seen.latencies.record(latency).unwrap();
        }
    }
}

/// The numbers in an event's envelope. They stand in the order in which Postgres writes keys.
fn numbers(json: &[u8]) -> Option<Numbers> {
    let data = &json[memmem::find(json, b"\"k\": ")?..];
    let writer = usize::try_from(number(data, b"\"w\": ")?).ok()?;
    Some(Numbers { k: number(data, b"\"k\": ")?, n: number(data, b"\"n\": ")?, writer })
}

/// The number that follows `name`.
fn number(json: &[u8], name: &[u8]) -> Option<u64> {
    let start = memmem::find(json, name)? + name.len();
    let digits = json[start..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}
