//! The promise as a whole: writers that commit, roll back and dawdle, clients that come and go on two servers, and the outbox as the oracle.
//!
//! Every client must end up with every committed event of its organizations, with none of any other's, and with each row's events in the order in
//! which they were committed.

use std::time::Duration;

use crate::harness::{
    Database, Role, Server,
    load::{self, Load},
    oracle::{Followers, Habit, Oracle},
};

const WRITERS: u64 = 32;

/// How long the writers write. `ROWCAST_TEST_JOURNEY_SECONDS` makes it shorter or longer.
fn duration() -> Duration {
    let seconds = std::env::var("ROWCAST_TEST_JOURNEY_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(60))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_committed_event_reaches_whom_it_is_for() {
    let db = Database::new().await;
    load::prepare(&db).await;
    let servers = [Server::start(&db).await, Server::start(&db).await];

    // One transaction of ours is open from before the first event until after the last, and one in another database too.
    let mut whole_test = db.connect_as(Role::App).await;
    let whole_test = whole_test.transaction().await.unwrap();
    whole_test.execute(load::INSERT, &[&"o1"]).await.unwrap();
    let elsewhere = Database::new().await;
    let mut elsewhere_client = elsewhere.connect().await;
    let foreign = elsewhere_client.transaction().await.unwrap();
    foreign.query_one("SELECT pg_current_xact_id()::text", &[]).await.unwrap();

    let followers = Followers::start(&servers.each_ref().map(Server::url), Habit::Roams, 1);
    let load = Load::start(&db, WRITERS, Duration::ZERO, 0);
    tokio::time::sleep(duration()).await;
    let written = load.stop().await;
    whole_test.commit().await.unwrap();
    foreign.rollback().await.unwrap();

    let oracle = Oracle::read(&db.connect().await).await;
    let events = oracle.events();
    assert_eq!(written.failures, 0, "{written:?}");
    assert!(written.commits > 100 && written.rollbacks > 20, "the writers were hardly at work: {written:?}");
    let got = followers.finish(oracle).await;
    println!("{written:?}; {events} events in the outbox; clients: {got:?}");
    assert!(got.late > 0, "no event committed out of the order of its id: the test tested nothing");
    for server in servers {
        server.stop().await;
    }
}
