//! Clients at random: they stream or poll, stay or leave, read or nap, and come back to any server with the cursor they have.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::{
    choices::{Choices, milliseconds},
    harness::{sse, token},
    seen::Seen,
    verdict::Tally,
    world::{Fact, Ledger, Outbox, Viewer},
};

/// Longer than between two heartbeats: who hears nothing for this long has lost its connection.
const SILENCE: Duration = Duration::from_secs(5);

/// How long a client may take to get the last of it when all is well again.
const LAST_CALL: Duration = Duration::from_mins(1);

/// What was asked for did not come, or not all of it.
struct Failed;

pub(crate) struct Client {
    viewer: &'static Viewer,
    choices: Choices,
    urls: Vec<String>,
    ledger: Arc<Ledger>,
    seen: Seen,
    /// All that the app was given, which a real client does not keep: id → what it said.
    given: HashMap<i64, u64>,
    last_of_row: HashMap<(String, String), i64>,
    tally: Tally,
}

impl Client {
    pub(crate) fn new(viewer: &'static Viewer, number: u64, seed: u64, urls: Vec<String>, ledger: Arc<Ledger>) -> Self {
        Self {
            viewer,
            choices: Choices::of(seed, "client", number),
            urls,
            ledger,
            seen: Seen::default(),
            given: HashMap::new(),
            last_of_row: HashMap::new(),
            tally: Tally::default(),
        }
    }

    /// Until it has all that the outbox owes it, or has waited for that in vain.
    pub(crate) async fn run(mut self, outbox: watch::Receiver<Option<Arc<Outbox>>>) -> Tally {
        let mut give_up = None;
        loop {
            let oracle = outbox.borrow().clone();
            if let Some(oracle) = oracle {
                let give_up = *give_up.get_or_insert_with(|| Instant::now() + LAST_CALL);
                let complete = oracle.owed_to(self.viewer).all(|fact| self.given.contains_key(&fact.id));
                if complete || Instant::now() > give_up {
                    return self.judge(&oracle);
                }
            }
            let mut draw = self.choices.step();
            let url = self.urls[draw.usize(..self.urls.len())].clone();
            let hurry = give_up.is_some();
            let done = if draw.u8(..4) == 0 {
                self.poll(&url, &mut draw).await
            } else {
                self.stream(&url, &mut draw, hurry).await
            };
            if done.is_err() {
                self.tally.failures += 1;
                sleep(milliseconds(&mut draw, 50..400)).await;
            }
        }
    }

    /// The part of the query that says what it wants.
    fn query(&self) -> String {
        let types = self.viewer.types.map(|types| format!("&subscriptions={}", types.join(",")));
        let organization = self.viewer.organization.map(|organization| format!("&organizationId={organization}"));
        types.unwrap_or_default() + &organization.unwrap_or_default()
    }

    async fn request(&self, url: &str, target: &str, headers: &str) -> Result<sse::Client, Failed> {
        let headers = format!("Authorization: Bearer {}\r\n{headers}", token(self.viewer.user));
        let request = sse::Client::try_request(url, "GET", target, &headers, "");
        match timeout(SILENCE, request).await {
            Ok(Ok(answer)) if answer.status == 200 => Ok(answer),
            _ => Err(Failed),
        }
    }

    async fn stream(&mut self, url: &str, draw: &mut fastrand::Rng, hurry: bool) -> Result<(), Failed> {
        let target = format!("/api/v1/realtime/sse?{}", self.query());
        let cursor = format!("Last-Event-ID: {}\r\n", self.seen.cursor());
        let mut stream = self.request(url, &target, &cursor).await?;
        self.tally.streams += 1;
        let stay = if draw.u8(..6) == 0 { 10_000..25_000 } else { 20..4_000 };
        let stay = milliseconds(draw, if hurry { 500..2_000 } else { stay });
        let mut until_nap = (!hurry && draw.u8(..4) == 0).then(|| (draw.u32(..400), milliseconds(draw, 200..4_000)));
        let leave = Instant::now() + stay;
        loop {
            match timeout_at(leave.min(Instant::now() + SILENCE), stream.next_event()).await {
                Ok(Some(event)) => self.take(&event),
                Ok(None) => {
                    // The server says when to come back, which is longer than a test has.
                    sleep(milliseconds(draw, 50..400)).await;
                    return Ok(());
                }
                Err(_) if Instant::now() >= leave => return Ok(()),
                Err(_) => return Err(Failed),
            }
            match &mut until_nap {
                Some((0, nap)) => {
                    sleep(*nap).await;
                    until_nap = None;
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
                let status = event.json()["data"]["status"].as_str().unwrap().to_owned();
                *self.tally.statuses.entry(status).or_default() += 1;
            }
            _ => self.give(&event.json()),
        }
        // The cursor claims this event too.
        if let Some(id) = &event.id {
            self.seen.advance(id);
        }
    }

    async fn poll(&mut self, url: &str, draw: &mut fastrand::Rng) -> Result<(), Failed> {
        for _ in 0..draw.u8(1..5) {
            let (wait, limit) = (draw.u8(..3), draw.u16(1..500));
            let (after, query) = (self.seen.cursor(), self.query());
            let target = format!("/api/v1/realtime/events?after={after}&wait={wait}&limit={limit}{query}");
            let mut answer = self.request(url, &target, "Connection: close\r\n").await?;
            let Ok(body) = timeout(SILENCE, answer.rest()).await else { return Err(Failed) };
            // Broken off in the middle it is no JSON.
            let Ok(body) = serde_json::from_str::<Value>(&body) else { return Err(Failed) };
            self.tally.polls += 1;
            if let Some(reset) = body["reset"].as_str() {
                *self.tally.statuses.entry(format!("reset ({reset})")).or_default() += 1;
            }
            for envelope in body["events"].as_array().unwrap() {
                self.give(envelope);
            }
            self.seen.advance(body["cursor"].as_str().unwrap());
        }
        Ok(())
    }

    /// An event for the app, unless the client has had it.
    fn give(&mut self, envelope: &Value) {
        let fact = Fact::of_envelope(envelope);
        if !self.viewer.may_now_see(&fact, &self.ledger) {
            self.tally.leaked.push(format!("{}: {fact:?}", self.viewer.user));
        }
        if !self.seen.admit(fact.id) {
            self.tally.repeats += 1;
            return;
        }
        match self.given.entry(fact.id) {
            Entry::Vacant(entry) => drop(entry.insert(fact.digest)),
            Entry::Occupied(_) => self.tally.duplicated.push(format!("{}: {fact:?}", self.viewer.user)),
        }
        self.tally.delivered += 1;
        // Who regains access gets with the next replay what the cursor does not claim, of the time without it too: by today's permissions, and so perhaps after later events.
        if let Some(row) = fact.row.as_ref().filter(|_| self.viewer.always_sees(&fact)) {
            let before = self.last_of_row.insert(row.clone(), fact.id);
            if before >= Some(fact.id) {
                self.tally.disordered.push(format!("{}: {fact:?} came after {before:?}", self.viewer.user));
            }
        }
    }

    fn judge(mut self, outbox: &Outbox) -> Tally {
        let user = self.viewer.user;
        let lost = outbox.owed_to(self.viewer).filter(|fact| !self.given.contains_key(&fact.id));
        self.tally.lost = lost.map(|fact| format!("{user}: {fact:?}")).collect();
        let altered =
            self.given.iter().filter(|&(&id, &digest)| outbox.get(id).is_none_or(|fact| fact.digest != digest));
        self.tally.altered =
            altered.map(|(id, _)| format!("{user}: {id}, in the outbox {:?}", outbox.get(*id))).collect();
        self.tally
    }
}
