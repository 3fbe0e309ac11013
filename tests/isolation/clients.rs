//! Clients at random: they stream or poll, at either server, with the cursor that they have, an old one or none; they read, nap, change what they have asked for, and leave.
//! Who they are they show by a token, by a ticket or by a cookie.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

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

/// The cookie that may bring a token.
pub(crate) const COOKIE: &str = "session";

/// How many ids everybody goes back in the end.
const LAST_REPLAY: i64 = 2_000;

/// What a client does next.
enum Action {
    /// Opens a stream and reads it for a while, perhaps with a nap after some events, and perhaps changes it each time when some have come.
    Stream { stay: Duration, nap: Option<(u32, Duration)>, change: Option<u32> },
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

/// How it shows who it is.
#[derive(Clone, Copy)]
enum By {
    Token,
    Ticket,
    Cookie,
}

/// The streams that are open, each with its user: everybody may try the others'.
pub(crate) type Names = Arc<Mutex<Vec<(&'static str, String)>>>;

pub(crate) struct Client {
    pub(super) wanted: Wanted,
    pub(super) urls: Vec<String>,
    choices: Choices,
    pub(super) clock: Arc<Clock>,
    pub(super) cursor: Option<Cursor>,
    /// Some of those that it had before.
    pub(super) old: Vec<Cursor>,
    pub(super) names: Names,
    /// What its open stream is called.
    pub(super) name: Option<String>,
    /// The types that were asked for on it since a cursor.
    pub(super) settled: BTreeSet<&'static str>,
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
        names: Names,
        last: watch::Receiver<Option<i64>>,
    ) -> Self {
        let (old, sessions) = (Vec::new(), Vec::new());
        Self {
            wanted,
            urls,
            choices,
            clock,
            cursor: None,
            old,
            names,
            name: None,
            settled: BTreeSet::new(),
            last,
            sessions,
        }
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
                1..7 => From::OldCursor,
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
        let pause = milliseconds(draw, 20..300);
        let after = match from {
            From::Head => None,
            From::OldCursor if !self.old.is_empty() => Some(self.old[draw.usize(..self.old.len())].clone()),
            From::OldCursor | From::Cursor => self.cursor.clone(),
        };
        match action {
            Action::Stream { stay, nap, change } => {
                let change = change.map(|every| (every, draw));
                self.stream(server, after, Instant::now() + stay, nap, change).await;
            }
            Action::Poll { times, wait, limit } => {
                let mut after = after;
                for _ in 0..times {
                    self.poll(server, after, wait, limit).await;
                    after = self.cursor.clone();
                }
            }
        }
        if let Some(cursor) = self.cursor.clone().filter(|_| self.sessions.len().is_multiple_of(3)) {
            self.keep(cursor);
        }
        if self.is_refused() {
            sleep(pause).await;
        }
    }

    fn keep(&mut self, cursor: Cursor) {
        self.old.push(cursor);
        if self.old.len() > 16 {
            self.old.remove(0);
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
                self.stream(server, after, Instant::now() + Duration::from_secs(1), None, None).await;
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
        request: (&str, &str),
        by: By,
        naps: bool,
    ) -> Option<sse::Client> {
        let mut session = Session::new(self.wanted.clone(), server, self.clock.now(), after);
        let mut answer = self.send(server, request, by, naps).await;
        // Who is disconnected has no tickets any more. Nobody is three times in a row.
        for _ in 0..2 {
            if answer.status == 401 && matches!(by, By::Ticket) {
                session.asked = self.clock.now();
                answer = self.send(server, request, by, naps).await;
            }
        }
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

    async fn send(&self, server: usize, (target, headers): (&str, &str), by: By, naps: bool) -> sse::Client {
        let token = token(self.wanted.user);
        let (target, proof) = match by {
            By::Token => (target.to_owned(), format!("Authorization: Bearer {token}\r\n")),
            By::Cookie => {
                (target.to_owned(), format!("Cookie: a=b; {COOKIE}={token}\r\nSec-Fetch-Site: same-origin\r\n"))
            }
            By::Ticket => (format!("{target}&ticket={}", self.ticket(&token).await), String::new()),
        };
        let address = self.urls[server].strip_prefix("http://").unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        if naps {
            socket.set_recv_buffer_size(SMALL_BUFFER).unwrap();
        }
        let stream = socket.connect(address.parse().unwrap()).await.unwrap();
        sse::Client::request_over(stream, address, "GET", &target, &(proof + headers), "").await.unwrap()
    }

    /// A ticket, of any server.
    async fn ticket(&self, token: &str) -> String {
        let server = &self.urls[self.sessions.len() / 2 % self.urls.len()];
        let headers = format!("Authorization: Bearer {token}\r\nConnection: close\r\n");
        let mut answer = sse::Client::request(server, "POST", "/api/v1/realtime/ticket", &headers, "").await;
        let body: Value = serde_json::from_str(&answer.rest().await).unwrap();
        body["ticket"].as_str().unwrap_or_else(|| panic!("no ticket, but {body}")).to_owned()
    }

    async fn stream(
        &mut self,
        server: usize,
        after: Option<Cursor>,
        leave: Instant,
        mut nap: Option<(u32, Duration)>,
        mut change: Option<(u32, &mut fastrand::Rng)>,
    ) {
        let header = after.as_ref().map(|cursor| format!("Last-Event-ID: {cursor}\r\n")).unwrap_or_default();
        let target = format!("/api/v1/realtime/sse?{}", self.query());
        let by = if self.sessions.len().is_multiple_of(5) { By::Ticket } else { By::Token };
        let Some(mut stream) = self.ask(server, after, (&target, &header), by, nap.is_some() || change.is_some()).await
        else {
            return;
        };
        let mut until_change = change.as_ref().map(|(every, _)| *every);
        while let Ok(Some(event)) = timeout_at(leave, stream.next_event()).await {
            self.take(&event);
            if self.is_complete() {
                break;
            }
            match &mut nap {
                Some((0, length)) => {
                    sleep(*length).await;
                    nap = None;
                }
                Some((events, _)) => *events -= 1,
                None => {}
            }
            match (&mut until_change, &mut change) {
                (Some(0), Some((every, draw))) => {
                    if !self.change(draw).await {
                        self.see_the_end(&mut stream).await;
                        break;
                    }
                    until_change = Some(draw.u32(..=2 * *every));
                }
                (Some(events), _) => *events -= 1,
                (None, _) => {}
            }
        }
        self.forget();
    }

    /// Nobody has its stream any more: then it ends.
    async fn see_the_end(&mut self, stream: &mut sse::Client) {
        let end = async {
            while let Some(event) = stream.next_event().await {
                self.take(&event);
            }
        };
        if timeout(PATIENCE, end).await.is_err() {
            self.note(Item::Unexpected("a stream that is open is not found".to_owned()));
        }
    }

    /// The stream has ended, or was left.
    fn forget(&mut self) {
        self.settled.clear();
        if let Some(name) = self.name.take() {
            self.names.lock().unwrap().retain(|(_, other)| *other != name);
        }
    }

    fn take(&mut self, event: &sse::Event) {
        match event.event.as_str() {
            "cursor" => {}
            "connection_status" => {
                let status = event.json();
                match (status["data"]["status"].as_str().unwrap(), status["data"]["reason"].as_str()) {
                    ("connected", _) => {
                        let name = status["data"]["connectionId"].as_str().unwrap().to_owned();
                        self.names.lock().unwrap().push((self.wanted.user, name.clone()));
                        self.name = Some(name);
                        self.note(Item::Entered);
                    }
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
        let by = if self.sessions.len().is_multiple_of(4) { By::Cookie } else { By::Token };
        let request = (&*target, "Connection: close\r\n");
        let Some(mut answer) = self.ask(server, after, request, by, false).await else { return };
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
        // Where a stream goes back to is a good place to come back to.
        if let Some(before) = self.cursor.replace(cursor.clone()).filter(|before| !cursor.covers(before)) {
            self.keep(before);
            self.keep(cursor.clone());
        }
        self.note(Item::Cursor(cursor));
    }

    pub(super) fn note(&mut self, item: Item) {
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
    // At once is when a stream is behind.
    let change = (draw.u8(..3) > 0).then(|| if draw.bool() { 0 } else { draw.u32(..12) });
    Action::Stream { stay, nap, change }
}
