//! Things that happen to a Postgres in production, each while writers write and clients listen.
//!
//! Whatever happens: streams stay open, and say `degraded` when events may be late and `recovered` when they no longer are; nothing is lost, nothing comes twice on
//! one stream; the server's memory stays bounded; `/readyz` and the log tell the truth.

mod crash;
mod limits;
mod locks;
mod network;

use std::{net::SocketAddr, time::Duration};

use crate::harness::{
    OwnPostgres, Place, Role, SECRET, Server, Through, eventually,
    load::{self, Load},
    oracle::{Followers, Habit, Oracle},
    proxy::Proxy,
};

/// Enough to have every kind of statement under way at any time, and little enough for a small machine.
const WRITERS: u64 = 8;
const REST: Duration = Duration::from_millis(10);

/// How many events have to have arrived before a fault, and after it, so that it happens to somebody.
const SOME: u64 = 300;

/// What a server may grow by in a few seconds of such a load: its log takes some, and a debug build is wasteful.
const GROWTH: u64 = 96 << 20;

/// A Postgres of its own, servers on it, writers and clients.
pub(crate) struct Stage {
    pub(crate) postgres: OwnPostgres,
    /// Between the servers and Postgres.
    proxy: Option<Proxy>,
    pub(crate) servers: Vec<Server>,
    load: Load,
    followers: Followers,
    resident: Vec<Option<u64>>,
}

impl Stage {
    /// With `servers` servers; everything is at work when this completes.
    async fn set(servers: usize, postgres_settings: &[(&str, &str)], server_settings: &[(&str, &str)]) -> Self {
        Self::open(OwnPostgres::start(postgres_settings).await, servers, server_settings).await
    }

    /// The same, on a Postgres that has been prepared for it.
    async fn open(postgres: OwnPostgres, servers: usize, settings: &[(&str, &str)]) -> Self {
        let proxy = postgres.proxy().await;
        let address = proxy.address();
        let mut stage = Self::open_through(postgres, address, servers, settings).await;
        stage.proxy = Some(proxy);
        stage
    }

    /// The same, with something else between the servers and Postgres.
    pub(crate) async fn open_through(
        postgres: OwnPostgres,
        address: SocketAddr,
        servers: usize,
        settings: &[(&str, &str)],
    ) -> Self {
        load::prepare(&postgres).await;
        let mut started = Vec::new();
        for _ in 0..servers {
            started.push(Server::start_with(&Through { place: &postgres, address }, settings).await);
        }
        let urls: Vec<String> = started.iter().map(Server::url).collect();
        let followers = Followers::start(&urls, Habit::Stays, 7);
        let load = Load::start(&postgres, WRITERS, REST, 7);
        followers.get_events(SOME).await;
        let resident = started.iter().map(Server::resident_bytes).collect();
        Self { postgres, proxy: None, servers: started, load, followers, resident }
    }

    /// The network between the servers and Postgres.
    fn network(&self) -> &Proxy {
        self.proxy.as_ref().expect("this stage has another way to Postgres")
    }

    /// Completes when every server says that it is, or is not, ready.
    async fn ready(&self, wanted: bool) {
        for server in &self.servers {
            let what = if wanted { "the server to be ready again" } else { "the server to notice" };
            eventually(what, async || (server.is_ready().await == wanted).then_some(())).await;
        }
    }

    /// Goes on for a while, then compares what everybody has got, and what the servers say of it: that there was an outage as often as this.
    pub(crate) async fn finish(self, outages: u64) {
        self.followers.get_events(SOME).await;
        self.followers.recover(outages).await;
        let Self { postgres, mut servers, load, followers, resident, proxy } = self;
        let written = load.stop().await;
        let oracle = Oracle::read(&postgres.connect_as(Role::Owner).await).await;
        println!("{written:?}; {} events in the outbox", oracle.events());
        let got = followers.finish(oracle).await;
        println!("{got:?}");
        assert_eq!(got.connections, Followers::COUNT, "a stream broke");
        assert_eq!(got.repeats, 0, "an event came twice on one stream");
        assert_eq!(got.status("degraded"), outages * Followers::COUNT);
        assert_eq!(got.status("recovered"), outages * Followers::COUNT);
        for (server, before) in servers.iter().zip(resident) {
            if let (Some(before), Some(after)) = (before, server.resident_bytes()) {
                assert!(after < before + GROWTH, "a server grew from {before} to {after} bytes");
            }
            assert!(server.is_ready().await);
        }
        for server in &mut servers {
            server.terminate().await;
            let log =
                eventually("the log's last line", async || Some(server.log()).filter(|log| log.ends_with("stopped")));
            let log = log.await;
            let count = |what: &str| log.lines().filter(|line| line.contains(what)).count() as u64;
            assert_eq!((count(" ERROR "), count("tailing stopped")), (outages, outages), "an outage is an error, once");
            assert_eq!(count("tailing the outbox"), outages + 1, "the log says when it was over");
            assert!(!log.contains(SECRET), "a secret in the log");
        }
        drop(proxy);
    }
}
