//! What every client must have got, which is what the outbox says; and the clients who are asked.
//!
//! Each follower must end up with every committed event of its organizations, with none of any other's, and with each row's events in the order in
//! which they were committed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rowcast::cursor::Cursor;
use serde_json::Value;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout_at},
};
use tokio_postgres::Client;

use super::{
    GLANCE, eventually,
    load::{MEMBERS, ORGANIZATIONS, follower},
    sse, token,
};

/// How long a client may take to get the last of it, once nobody writes any more.
const LAST_CALL: Duration = Duration::from_secs(30);

/// The committed events of each organization: outbox id → what it says of which row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Oracle(HashMap<String, BTreeMap<i64, Fact>>);

/// What an event says: of which row, and its content.
type Fact = (Option<String>, String, Value);

/// An event as a client has it: its organization, and what it says.
type Received = (String, Fact);

impl Oracle {
    /// Reads the outbox.
    pub(crate) async fn read(admin: &Client) -> Self {
        let mut oracle = Self::default();
        let committed = "SELECT id, organization_id, source_key, operation, data FROM rowcast.outbox WHERE audience = 'organization'";
        for row in admin.query(committed, &[]).await.unwrap() {
            let fact = (row.get("source_key"), row.get("operation"), row.get("data"));
            oracle.0.entry(row.get("organization_id")).or_default().insert(row.get("id"), fact);
        }
        oracle
    }

    /// How many events there are.
    pub(crate) fn events(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    fn wanted(&self, organizations: &BTreeSet<&str>) -> usize {
        organizations.iter().filter_map(|&name| self.0.get(name)).map(BTreeMap::len).sum()
    }

    /// Fails the test unless this client has what it must have, and nothing else.
    fn check(&self, user: &str, organizations: &BTreeSet<&str>, seen: &BTreeMap<i64, Received>) {
        let wanted: BTreeMap<i64, Received> = organizations
            .iter()
            .flat_map(|&name| {
                let events = self.0.get(name).into_iter().flatten();
                events.map(move |(&id, fact)| (id, (name.to_owned(), fact.clone())))
            })
            .collect();
        let lost: Vec<_> = wanted.iter().filter(|(id, _)| !seen.contains_key(id)).collect();
        let some = &lost[..lost.len().min(5)];
        assert!(lost.is_empty(), "{user} lost {} of {} events: {some:?}", lost.len(), wanted.len());
        let leaked: Vec<_> = seen.iter().filter(|(id, _)| !wanted.contains_key(id)).collect();
        let some = &leaked[..leaked.len().min(5)];
        assert!(leaked.is_empty(), "{user} got {} events that were not for it: {some:?}", leaked.len());
        assert_eq!(&wanted, seen, "{user} got events with other contents than the outbox");
    }
}

/// What a follower does with its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Stays on it for as long as it lasts.
    Stays,
    /// Breaks off at any time, and comes back to any server.
    Roams,
}

/// What followers have got.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    pub(crate) connections: u64,
    /// Events that came again, because the connection broke between an event and its cursor.
    pub(crate) repeats: u64,
    /// Events whose id was below one that came before.
    pub(crate) late: u64,
    /// How often each `connection_status` came.
    pub(crate) statuses: BTreeMap<String, u64>,
}

impl Tally {
    /// How often this `connection_status` came.
    pub(crate) fn status(&self, status: &str) -> u64 {
        self.statuses.get(status).copied().unwrap_or_default()
    }

    fn add(mut self, other: Self) -> Self {
        self.events += other.events;
        self.connections += other.connections;
        self.repeats += other.repeats;
        self.late += other.late;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self
    }
}

/// One client for each of [`MEMBERS`], following the stream. They end with it.
pub(crate) struct Followers {
    clients: JoinSet<Tally>,
    oracle: watch::Sender<Option<Arc<Oracle>>>,
    live: Arc<Live>,
}

/// What all followers have got together, so far.
#[derive(Default)]
struct Live {
    events: AtomicU64,
    degraded: AtomicU64,
    recovered: AtomicU64,
}

impl Followers {
    /// How many there are.
    pub(crate) const COUNT: u64 = MEMBERS.len() as u64;

    /// Sends them to these servers.
    pub(crate) fn start(urls: &[String], habit: Habit, seed: u64) -> Self {
        let oracle = watch::Sender::default();
        let live = Arc::default();
        let mut clients = JoinSet::new();
        for number in 0..MEMBERS.len() {
            let random = fastrand::Rng::with_seed(seed.wrapping_mul(1_000).wrapping_add(number as u64));
            let follower = Follower::new(number, urls.to_vec(), habit, random, Arc::clone(&live));
            clients.spawn(follower.follow(oracle.subscribe()));
        }
        Self { clients, oracle, live }
    }

    /// Completes when they have got `count` more events among them: something is going on.
    pub(crate) async fn get_events(&self, count: u64) {
        let events = || self.live.events.load(Ordering::Relaxed);
        let enough = events() + count;
        eventually("events to arrive", async || (events() >= enough).then_some(())).await;
    }

    /// Completes when each has been told that its stream was degraded, and has recovered, as often as this.
    pub(crate) async fn recover(&self, times: u64) {
        let everybody = |count: &AtomicU64| count.load(Ordering::Relaxed) >= times * Self::COUNT;
        let over = || everybody(&self.live.degraded) && everybody(&self.live.recovered);
        eventually("streams to recover", async || over().then_some(())).await;
    }

    /// Tells them what they must have had in the end, and waits until they have; fails the test when one of them has not.
    pub(crate) async fn finish(self, oracle: Oracle) -> Tally {
        self.oracle.send_replace(Some(Arc::new(oracle)));
        self.clients.join_all().await.into_iter().fold(Tally::default(), Tally::add)
    }
}

struct Follower {
    user: String,
    organizations: BTreeSet<&'static str>,
    urls: Vec<String>,
    habit: Habit,
    random: fastrand::Rng,
    live: Arc<Live>,
    cursor: String,
    seen: BTreeMap<i64, Received>,
    last_of_row: HashMap<String, i64>,
    /// When it will have waited long enough for the last of it.
    give_up: Option<Instant>,
    tally: Tally,
}

impl Follower {
    fn new(number: usize, urls: Vec<String>, habit: Habit, random: fastrand::Rng, live: Arc<Live>) -> Self {
        Self {
            user: follower(number),
            organizations: MEMBERS[number].iter().map(|&organization| ORGANIZATIONS[organization]).collect(),
            urls,
            habit,
            random,
            live,
            // From the very beginning, so that nothing is missed while the client starts.
            cursor: String::from("0"),
            seen: BTreeMap::new(),
            last_of_row: HashMap::new(),
            give_up: None,
            tally: Tally::default(),
        }
    }

    /// Follows until it has all that the oracle says.
    async fn follow(mut self, mut oracle: watch::Receiver<Option<Arc<Oracle>>>) -> Tally {
        let token = token(&self.user);
        loop {
            let url = &self.urls[self.random.usize(..self.urls.len())];
            match sse::Client::try_connect(url, &token, Some(&self.cursor)).await {
                Ok(mut stream) => {
                    self.tally.connections += 1;
                    if self.read(&mut stream, &mut oracle).await {
                        return self.tally;
                    }
                }
                // The server is away.
                Err(_) => tokio::time::sleep(GLANCE).await,
            }
            if self.is_complete(&oracle) {
                return self.tally;
            }
        }
    }

    /// Reads the stream to its end, or as far as the client cares to. True when it has all.
    async fn read(&mut self, stream: &mut sse::Client, oracle: &mut watch::Receiver<Option<Arc<Oracle>>>) -> bool {
        let leave = Instant::now()
            + match self.habit {
                Habit::Stays => Duration::from_hours(1),
                Habit::Roams => Duration::from_millis(self.random.u64(20..2_500)),
            };
        while !self.is_complete(oracle) {
            let until = self.give_up.map_or(leave, |give_up| leave.min(give_up));
            tokio::select! {
                _ = oracle.changed(), if self.give_up.is_none() => {}
                event = timeout_at(until, stream.next_event()) => match event {
                    Ok(Some(event)) => self.take(event),
                    Ok(None) | Err(_) => return false,
                },
            }
        }
        true
    }

    fn take(&mut self, event: sse::Event) {
        if event.event == "connection_status" {
            let status = event.json()["data"]["status"].as_str().unwrap().to_owned();
            match status.as_str() {
                "degraded" => drop(self.live.degraded.fetch_add(1, Ordering::Relaxed)),
                "recovered" => drop(self.live.recovered.fetch_add(1, Ordering::Relaxed)),
                _ => {}
            }
            *self.tally.statuses.entry(status).or_default() += 1;
        }
        if let Some(id) = event.id {
            assert!(id.parse::<Cursor>().is_ok(), "{id} is no cursor");
            self.cursor = id;
        }
        if event.event != "document_processing" {
            return;
        }
        let envelope: Value = serde_json::from_str(&event.data).unwrap();
        let text = |field: &str| envelope[field].as_str().unwrap().to_owned();
        let (id, row) = (text("id").parse().unwrap(), text("key"));
        let last = self.seen.last_key_value().map(|(&last, _)| last);
        let fact = (Some(row.clone()), text("operation"), envelope["data"].clone());
        self.tally.events += 1;
        self.live.events.fetch_add(1, Ordering::Relaxed);
        if self.seen.insert(id, (text("organizationId"), fact)).is_some() {
            self.tally.repeats += 1;
            return;
        }
        self.tally.late += u64::from(Some(id) < last);
        let before = self.last_of_row.insert(row.clone(), id);
        assert!(before < Some(id), "{}: row {row}: event {id} came after {before:?}", self.user);
    }

    /// Whether nothing is missing, once it is known what there must be; then all of it is compared.
    fn is_complete(&mut self, oracle: &watch::Receiver<Option<Arc<Oracle>>>) -> bool {
        let Some(oracle) = oracle.borrow().clone() else { return false };
        let give_up = *self.give_up.get_or_insert_with(|| Instant::now() + LAST_CALL);
        let over = self.seen.len() >= oracle.wanted(&self.organizations) || Instant::now() >= give_up;
        if over {
            oracle.check(&self.user, &self.organizations, &self.seen);
        }
        over
    }
}
