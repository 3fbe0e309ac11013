//! Servers that go away: politely, by force, and streams that end by themselves. Clients come back and have lost nothing.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet};
use tokio_postgres::Client;

use crate::{
    documents::{connect, get, insert, prepare},
    harness::{self, Database, GLANCE, PATIENCE, Role, Server, eventually, sse},
    hostile::{kernel_bytes, sleeper},
};

/// A client that has more to read than it will, so that a server has to wait for it.
pub(crate) async fn stuck(db: &Database, server: &Server) -> sse::Client {
    let app = db.connect_as(Role::App).await;
    let stuck = sleeper(server, "ben").await;
    let load = "INSERT INTO documents SELECT -n, 'o1', repeat('x', 30000) FROM generate_series(1, 100) n";
    app.execute(load, &[]).await.unwrap();
    eventually("the client to be held up", async || (kernel_bytes(server) > 64 * 1024).then_some(())).await;
    stuck
}

#[tokio::test]
async fn a_server_that_leaves_says_so_to_everybody() {
    let db = Database::new().await;
    prepare(&db).await;
    let mut server = Server::start(&db).await;
    let stuck = stuck(&db, &server).await;
    let mut open = connect(&server, "cleo", None).await;
    server.signal("TERM");
    let goodbye = open.next_of("connection_status").await;
    assert_eq!(goodbye.json()["data"], json!({"status": "closing", "reason": "unavailable"}));
    assert!((750..=4_750).contains(&goodbye.retry.unwrap()), "{goodbye:?}");
    assert!(open.next_event().await.is_none());

    let token = harness::token("cleo");
    let (not_ready, _) = get(&server, "/readyz", None).await;
    let (alive, _) = get(&server, "/livez", None).await;
    let (poll, _) = get(&server, "/api/v1/realtime/events?after=0", Some(&token)).await;
    assert_eq!((not_ready, alive, poll), (503, 200, 503));
    let mut late = sse::Client::connect(&server.url(), &token, None).await;
    let goodbye = late.next_event().await.unwrap();
    assert_eq!(goodbye.json()["data"]["reason"], "unavailable", "to EventSource a status would be final");
    assert!(goodbye.retry.is_some() && late.next_event().await.is_none());

    drop(stuck);
    server.wait_for_end().await;
}

#[tokio::test]
async fn who_is_in_a_hurry_asks_twice() {
    let db = Database::new().await;
    prepare(&db).await;
    let mut server = Server::start(&db).await;
    let _stuck = stuck(&db, &server).await;
    server.signal("TERM");
    eventually("the server to leave", async || (get(&server, "/readyz", None).await.0 == 503).then_some(())).await;
    let started = Instant::now();
    server.signal("INT");
    server.gone().await;
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

/// The ids of the user's events in the order in which they came, with as many connections as it takes, until `expected` is known and had.
async fn follow(urls: Vec<String>, user: &'static str, mut expected: watch::Receiver<Option<usize>>) -> Followed {
    let token = harness::token(user);
    let mut followed = Followed { ids: BTreeMap::new(), goodbyes: Vec::new(), connections: 0 };
    let mut cursor = "0".to_owned();
    let deadline = Instant::now() + PATIENCE * 2;
    for url in urls.iter().cycle() {
        assert!(Instant::now() < deadline, "{user} has {} of {:?}", followed.ids.len(), *expected.borrow());
        let Ok(mut stream) = sse::Client::try_connect(url, &token, Some(&cursor)).await else {
            tokio::time::sleep(GLANCE).await;
            continue;
        };
        followed.connections += 1;
        loop {
            if expected.borrow().is_some_and(|expected| followed.ids.len() >= expected) {
                return followed;
            }
            let event = tokio::select! {
                event = stream.next_event() => event,
                _ = expected.changed() => continue,
            };
            let Some(event) = event else { break };
            let json: Value = event.json();
            if event.event == "document_processing" {
                let id: i64 = json["id"].as_str().unwrap().parse().unwrap();
                let known: rowcast::cursor::Cursor = cursor.parse().unwrap();
                assert!(!known.contains(id), "{id} is in {cursor}");
                *followed.ids.entry(id).or_default() += 1;
            } else if json["data"]["status"] == "closing" {
                followed.goodbyes.push((json["data"]["reason"].as_str().unwrap().to_owned(), event.retry.unwrap()));
            }
            cursor = event.id.unwrap_or(cursor);
        }
    }
    unreachable!("the addresses go round")
}

struct Followed {
    /// How often each came.
    ids: BTreeMap<i64, u32>,
    goodbyes: Vec<(String, u64)>,
    connections: u32,
}

async fn write(app: Client, writer: i64, deadline: Instant) {
    let mut id = writer * 1_000_000;
    while Instant::now() < deadline {
        id += 1;
        insert(&app, id, if id % 3 == 0 { "o2" } else { "o1" }).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The ids of the events of `o1`.
async fn outbox(admin: &Client) -> Vec<i64> {
    let rows =
        admin.query("SELECT id FROM rowcast.outbox WHERE organization_id = 'o1' ORDER BY id", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_move_between_servers_that_are_killed_under_load() {
    let db = Database::new().await;
    prepare(&db).await;
    let mut servers = [Server::start(&db).await, Server::start(&db).await];
    let (done, expected) = watch::channel(None);
    let mut clients = JoinSet::new();
    for n in 0..6 {
        let mut urls = Vec::from(servers.each_ref().map(Server::url));
        urls.rotate_left(n % 2);
        clients.spawn(follow(urls, ["ann", "ben"][n / 3], expected.clone()));
    }
    let deadline = Instant::now() + Duration::from_secs(3);
    let mut writers = JoinSet::new();
    for writer in 1..=4 {
        writers.spawn(write(db.connect_as(Role::App).await, writer, deadline));
    }
    for victim in [0, 1, 0] {
        tokio::time::sleep(Duration::from_millis(400)).await;
        servers[victim].kill().await;
        servers[victim].restart().await;
    }
    writers.join_all().await;
    let ids = outbox(&db.connect().await).await;
    done.send_replace(Some(ids.len()));
    let followed = clients.join_all().await;
    for followed in &followed {
        assert_eq!(followed.ids.keys().copied().collect::<Vec<_>>(), ids, "lost, or not ann's");
    }
    assert!(followed.iter().map(|followed| followed.connections).sum::<u32>() >= 9, "nobody was cut off");
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_end_by_themselves_are_resumed_without_loss() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start_with(&db, &[("ROWCAST_MAX_STREAM", "500ms")]).await;
    let (done, expected) = watch::channel(None);
    let mut clients = JoinSet::new();
    for _ in 0..3 {
        clients.spawn(follow(vec![server.url()], "ann", expected.clone()));
    }
    write(app, 1, Instant::now() + Duration::from_secs(2)).await;
    let ids = outbox(&db.connect().await).await;
    done.send_replace(Some(ids.len()));
    for followed in clients.join_all().await {
        let once: BTreeMap<i64, u32> = ids.iter().map(|&id| (id, 1)).collect();
        assert_eq!(followed.ids, once, "a stream that ends cleanly repeats nothing");
        assert!(followed.goodbyes.len() >= 3, "{:?}", followed.goodbyes);
        for (reason, retry) in followed.goodbyes {
            assert!(reason == "max_stream" && (50..=500).contains(&retry), "{reason}, {retry}");
        }
    }
    server.stop().await;
}
