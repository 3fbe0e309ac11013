//! Clients at random: they stream or poll, at either server, with the cursor that they have, an old one or none; they read, nap and leave.

use std::{sync::Arc, time::Duration};

use rowcast::cursor::Cursor;
use serde_json::Value;
use tokio::{
    net::TcpSocket,
    sync::watch,
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::{
    choices::{Choices, milliseconds},
    events::read_payload,
    harness::{PATIENCE, sse, token},
    history::{Item, Session},
    moments::Clock,
    rules::Wanted,
};

/// A receive buffer that holds next to nothing, so that the server notices who naps.
const SMALL_BUFFER: u32 = 4 * 1024;

/// How many ids everybody goes back in the end.
const LAST_REPLAY: i64 = 2_000;

/// What a client does next.
enum Action {
    /// Opens a stream and reads it for a while, perhaps with a nap after some events.
    Stream { stay: Duration, nap: Option<(u32, Duration)> },
    /// Polls some times in a row.
    Poll { times: u8, wait: u8, limit: u16 },
}

/// Where it begins.
#[derive(Clone, Copy)]
enum From {
    Cursor,
    OldCursor,
    Head,
}

pub(crate) struct Client {
    wanted: Wanted,
    urls: Vec<String>,
    choices: Choices,
    clock: Arc<Clock>,
    cursor: Option<Cursor>,
    /// Some of those that it had before.
    old: Vec<Cursor>,
    /// The last id, when nobody writes any more.
    last: watch::Receiver<Option<i64>>,
    sessions: Vec<Session>,
}

impl Client {
    pub(crate) fn new(
        wanted: Wanted,
        urls: Vec<String>,
        choices: Choices,
        clock: Arc<Clock>,
        last: watch::Receiver<Option<i64>>,
    ) -> Self {
        Self { wanted, urls, choices, clock, cursor: None, old: Vec::new(), last, sessions: Vec::new() }
    }

    /// Until it is told what the last id is; then it reads on to there, and once more from far back, at another server. Returns all that it has been told.
    pub(crate) async fn run(mut self) -> Vec<Session> {
        let last = loop {
            if let Some(last) = *self.last.borrow() {
                break last;
            }
            let mut draw = self.choices.step();
            let server = draw.usize(..self.urls.len());
            let from = match draw.u8(..20) {
                0 => From::Head,
                1..4 => From::OldCursor,
                _ => From::Cursor,
            };
            let action = draw_action(&mut draw);
            self.act(server, from, action, &mut draw).await;
        };
        let (here, there) = (self.sessions.len() % self.urls.len(), (self.sessions.len() + 1) % self.urls.len());
        self.read_to_the_end(here).await;
        self.cursor = Some(Cursor::up_to((last - LAST_REPLAY).max(0)));
        self.read_to_the_end(there).await;
        self.sessions
    }

    /// Whether there is nothing more to come.
    fn is_complete(&self) -> bool {
        let last = *self.last.borrow();
        last.is_some_and(|last| self.cursor.as_ref().is_some_and(|cursor| cursor.covers(&Cursor::up_to(last))))
    }

    fn is_refused(&self) -> bool {
        self.sessions.last().is_some_and(|session| matches!(session.items.last(), Some((_, Item::Refused))))
    }

    async fn act(&mut self, server: usize, from: From, action: Action, draw: &mut fastrand::Rng) {
        let after = match from {
            From::Head => None,
            From::OldCursor if !self.old.is_empty() => Some(self.old[draw.usize(..self.old.len())].clone()),
            From::OldCursor | From::Cursor => self.cursor.clone(),
        };
        match action {
            Action::Stream { stay, nap } => self.stream(server, after, Instant::now() + stay, nap).await,
            Action::Poll { times, wait, limit } => {
                let mut after = after;
                for _ in 0..times {
                    self.poll(server, after, wait, limit).await;
                    after = self.cursor.clone();
                }
            }
        }
        if let Some(cursor) = self.cursor.clone().filter(|_| draw.u8(..3) == 0) {
            self.old.push(cursor);
            if self.old.len() > 8 {
                self.old.remove(0);
            }
        }
        if self.is_refused() {
            sleep(milliseconds(draw, 20..300)).await;
        }
    }

    /// Streams and polls in turn until there is nothing more to come, or it is refused.
    async fn read_to_the_end(&mut self, server: usize) {
        let give_up = Instant::now() + 3 * PATIENCE;
        while !self.is_complete() {
            assert!(Instant::now() < give_up, "{:?} never comes to the end: {:?}", self.wanted, self.cursor);
            let after = self.cursor.clone();
            if self.sessions.len().is_multiple_of(2) {
                self.poll(server, after, 0, 1_000).await;
            } else {
                self.stream(server, after, Instant::now() + Duration::from_secs(1), None).await;
            }
            if self.is_refused() {
                return;
            }
        }
    }

    /// The part of the query that says what it wants.
    fn query(&self) -> String {
        let types = self.wanted.types.as_ref().map(|types| {
            let types: Vec<&str> = types.iter().copied().collect();
            format!("&subscriptions={}", types.join(","))
        });
        let organization = self.wanted.organization.map(|organization| format!("&organizationId={organization}"));
        types.unwrap_or_default() + &organization.unwrap_or_default()
    }

    /// Asks, and notes whether it was let in.
    async fn ask(
        &mut self,
        server: usize,
        after: Option<Cursor>,
        target: &str,
        headers: &str,
        naps: bool,
    ) -> Option<sse::Client> {
        let mut session = Session::new(self.wanted.clone(), server, self.clock.now(), after);
        let address = self.urls[server].strip_prefix("http://").unwrap();
        let headers = format!("Authorization: Bearer {}\r\n{headers}", token(self.wanted.user));
        let socket = TcpSocket::new_v4().unwrap();
        if naps {
            socket.set_recv_buffer_size(SMALL_BUFFER).unwrap();
        }
        let stream = socket.connect(address.parse().unwrap()).await.unwrap();
        let answer = sse::Client::request_over(stream, address, "GET", target, &headers, "").await.unwrap();
        let (item, answer) = match answer.status {
            // A stream says for itself that it has been let in.
            200 if answer.header("content-type") == Some("text/event-stream") => (None, Some(answer)),
            200 => (Some(Item::Entered), Some(answer)),
            403 => (Some(Item::Refused), None),
            _ => (Some(Item::Unexpected(answer.head)), None),
        };
        session.items.extend(item.map(|item| (self.clock.now(), item)));
        self.sessions.push(session);
        answer
    }

    async fn stream(&mut self, server: usize, after: Option<Cursor>, leave: Instant, mut nap: Option<(u32, Duration)>) {
        let header = after.as_ref().map(|cursor| format!("Last-Event-ID: {cursor}\r\n")).unwrap_or_default();
        let target = format!("/api/v1/realtime/sse?{}", self.query());
        let Some(mut stream) = self.ask(server, after, &target, &header, nap.is_some()).await else { return };
        while let Ok(Some(event)) = timeout_at(leave, stream.next_event()).await {
            self.take(&event);
            if self.is_complete() {
                return;
            }
            match &mut nap {
                Some((0, length)) => {
                    sleep(*length).await;
                    nap = None;
                }
                Some((events, _)) => *events -= 1,
                None => {}
            }
        }
    }

    fn take(&mut self, event: &sse::Event) {
        match event.event.as_str() {
            "cursor" => {}
            "connection_status" => {
                let status = event.json();
                match (status["data"]["status"].as_str().unwrap(), status["data"]["reason"].as_str()) {
                    ("connected", _) => self.note(Item::Entered),
                    ("closing", Some("access_revoked")) => self.note(Item::Revoked),
                    ("access_changed" | "degraded" | "recovered", _) | ("closing", Some("disconnected")) => {}
                    (status, reason) => self.note(Item::Unexpected(format!("{status} {reason:?}"))),
                }
            }
            _ => self.note_event(&event.json()),
        }
        if let Some(id) = &event.id {
            self.note_cursor(id);
        }
    }

    async fn poll(&mut self, server: usize, after: Option<Cursor>, wait: u8, limit: u16) {
        let cursor = after.as_ref().map(|cursor| format!("after={cursor}")).unwrap_or_default();
        let target = format!("/api/v1/realtime/events?{cursor}&wait={wait}&limit={limit}{}", self.query());
        let Some(mut answer) = self.ask(server, after, &target, "Connection: close\r\n", false).await else { return };
        let body = timeout(PATIENCE, answer.rest()).await.expect("the answer ends");
        let body: Value = serde_json::from_str(&body).unwrap();
        if !body["reset"].is_null() {
            self.note(Item::Unexpected(format!("reset {}", body["reset"])));
        }
        for envelope in body["events"].as_array().unwrap() {
            self.note_event(envelope);
        }
        self.note_cursor(body["cursor"].as_str().unwrap());
    }

    /// All that there is to say of an event is what differs from what was written: thousands are kept.
    fn note_event(&mut self, envelope: &Value) {
        let operation = envelope["operation"].as_str().unwrap_or_default();
        self.note(match read_payload(&envelope["data"]) {
            Some((number, shown)) => Item::Event(operation.to_owned(), number, shown),
            None => Item::Garbled(envelope.to_string()),
        });
    }

    fn note_cursor(&mut self, text: &str) {
        let cursor: Cursor = text.parse().unwrap_or_else(|error| panic!("{text} is no cursor: {error}"));
        self.cursor = Some(cursor.clone());
        self.note(Item::Cursor(cursor));
    }

    fn note(&mut self, item: Item) {
        let now = self.clock.now();
        self.sessions.last_mut().unwrap().items.push((now, item));
    }
}

fn draw_action(draw: &mut fastrand::Rng) -> Action {
    if draw.u8(..3) == 0 {
        return Action::Poll { times: draw.u8(1..6), wait: draw.u8(..3), limit: draw.u16(1..300) };
    }
    let stay = if draw.u8(..5) == 0 { 4_000..12_000 } else { 20..2_500 };
    let stay = milliseconds(draw, stay);
    let nap = (draw.u8(..4) == 0).then(|| (draw.u32(..30), milliseconds(draw, 500..4_000)));
    Action::Stream { stay, nap }
}
