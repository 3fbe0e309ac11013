//! Two servers: one measures. When it dies the other does; one that was frozen finds that out before it writes.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::{
    course, figures, model,
    peer::{Peer, Says},
    reader, until,
};
use crate::harness::{Database, GLANCE, Server, eventually};

/// Longer than a server is believed to be alive without saying so, and an interval.
const TAKES_OVER: Duration = Duration::from_secs(17);

async fn holder(reader: &Client) -> String {
    let holder = "SELECT server FROM rowcast.duties WHERE name = 'health_llm_api'";
    eventually("somebody to measure", async || reader.query_opt(holder, &[]).await.unwrap()).await.get(0)
}

/// Waits for another holder than this one; longer than tests usually wait.
async fn passes_on(reader: &Client, former: &str) {
    let since = Instant::now();
    while holder(reader).await == former {
        assert!(since.elapsed() < TAKES_OVER, "nobody takes over");
        tokio::time::sleep(GLANCE).await;
    }
}

/// Two servers, the one that measures first.
async fn pair(db: &Database, reader: &Client, url: &str) -> [Server; 2] {
    let first = Server::start_with(db, &model(url)).await;
    until(reader, "llm_api", "response_ms", "healthy").await;
    [first, Server::start_with(db, &model(url)).await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_one_that_measures_is_killed_the_other_goes_on_where_it_was() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let peer = Peer::start(Says::answer("200 OK", "{}")).await;
    let url = peer.url();
    let [mut first, second] = pair(&db, &reader, &url).await;
    let former = holder(&reader).await;
    let before = peer.asked().len();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asked = peer.asked().len() - before;
    assert!(asked <= 11, "both ask: {asked} times in a second");

    first.kill().await;
    passes_on(&reader, &former).await;
    let taken = peer.asked().len();
    eventually("the other to measure", async || (peer.asked().len() > taken + 3).then_some(())).await;
    assert_eq!(course(&reader, "llm_api", "response_ms").await, ["healthy"], "that is no news");
    peer.say(Says::answer("500 Oh", ""));
    until(&reader, "llm_api", "response_ms", "down").await;
    second.stop().await;
    assert_eq!(course(&reader, "llm_api", "response_ms").await, ["healthy", "down"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_leaves_in_order_is_followed_at_once() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let peer = Peer::start(Says::answer("200 OK", "{}")).await;
    let url = peer.url();
    let [first, second] = pair(&db, &reader, &url).await;
    let former = holder(&reader).await;
    first.stop().await;
    let since = Instant::now();
    passes_on(&reader, &former).await;
    assert!(since.elapsed() < Duration::from_secs(5), "it waited for a goodbye that was said");
    second.stop().await;
}

/// It is frozen in the middle of measuring: what it then has is news to nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_one_that_comes_back_writes_nothing_beside_the_other() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let peer = Peer::start(Says::answer("200 OK", "{}")).await;
    let url = peer.url();
    let [first, second] = pair(&db, &reader, &url).await;
    let former = holder(&reader).await;
    // It waits for an answer, which will say that the model is down.
    peer.say(Says::late(Duration::from_millis(300), "500 Oh", ""));
    let before = peer.asked().len();
    eventually("it to ask", async || (peer.asked().len() > before).then_some(())).await;
    first.signal("STOP");
    peer.say(Says::answer("200 OK", "{}"));
    passes_on(&reader, &former).await;
    let taken = peer.asked().len();
    eventually("the other to measure", async || (peer.asked().len() > taken + 1).then_some(())).await;
    first.signal("CONT");
    eventually("it to notice", async || first.log().contains("another server does it from now on").then_some(())).await;
    let taken = peer.asked().len();
    eventually("the other to go on", async || (peer.asked().len() > taken + 3).then_some(())).await;
    assert_eq!(course(&reader, "llm_api", "response_ms").await, ["healthy"]);
    assert_ne!(holder(&reader).await, former);
    let told = figures(&first).await;
    assert!(!told.contains("rowcast_health{"), "it tells what it does not know: {told}");
    let told = figures(&second).await;
    assert!(told.contains("rowcast_health{component=\"llm_api\",metric=\"response_ms\"} 0"), "{told}");
    first.stop().await;
    second.stop().await;
}
