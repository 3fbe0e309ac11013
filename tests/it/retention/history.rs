//! Clients whose history has expired are told so, and nobody else is.

use super::Stage;
use crate::harness::{PATIENCE, Role, Server, eventually, sse, token};

/// A database with 50 events, of which the first 30 have expired.
async fn expired() -> Stage {
    let stage = Stage::new(10).await;
    join(&stage).await;
    stage.emit(50).await;
    stage.settle(50).await;
    stage.age(30, 8).await;
    // The first partition as a whole; the other holds the rest, came about by overflow, and is in use.
    stage.maintain_all().await;
    assert_eq!(stage.expired_through().await, 30);
    stage
}

async fn join(stage: &Stage) {
    let join = "INSERT INTO rowcast.memberships (user_id, organization_id, role) VALUES ('ann', NULL, 'member')";
    stage.execute(join).await;
}

async fn connect(server: &Server, cursor: &str) -> sse::Client {
    let mut client = sse::Client::connect(&server.url(), &token("ann"), Some(cursor)).await;
    assert_eq!(client.next_event().await.unwrap().json()["data"]["status"], "connected");
    client
}

async fn next_id(client: &mut sse::Client) -> i64 {
    client.next_event().await.unwrap().json()["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn who_lacks_what_has_expired_is_told_and_goes_on_from_the_head() {
    let stage = expired().await;
    let server = Server::start(&stage.db).await;
    for cursor in ["0", "29", "40~30", "50~7-8"] {
        let mut client = connect(&server, cursor).await;
        let reset = client.next_event().await.unwrap();
        assert_eq!(reset.json()["data"]["reason"], "history_expired", "{cursor}");
        assert_eq!(reset.id.as_deref(), Some(&*stage.ids().await.last().unwrap().to_string()));
        let emitted = stage.emit(1).await;
        assert_eq!(next_id(&mut client).await, emitted, "it goes on live");
    }
    server.stop().await;
}

#[tokio::test]
async fn who_lacks_none_of_it_gets_the_rest() {
    let stage = expired().await;
    let server = Server::start(&stage.db).await;
    for (cursor, expected) in [("30", 31..=50), ("31", 32..=50), ("40~31-35", 31..=35)] {
        let mut client = connect(&server, cursor).await;
        for id in expected {
            assert_eq!(next_id(&mut client).await, id, "after {cursor}");
        }
    }
    server.stop().await;
}

/// The server has all of it in memory: nothing is lost to anybody.
#[tokio::test]
async fn what_a_server_remembers_has_not_expired_for_its_clients() {
    let stage = Stage::new(100).await;
    join(&stage).await;
    let server = Server::start(&stage.db).await;
    stage.emit(50).await;
    eventually("the floor to be stored", async || {
        (stage.number("SELECT id FROM rowcast.settled").await == 50).then_some(())
    })
    .await;
    stage.age(50, 8).await;
    stage.maintain_all().await;
    assert_eq!(stage.expired_through().await, 50);
    let mut client = connect(&server, "20").await;
    assert_eq!(next_id(&mut client).await, 21);
    server.stop().await;
}

#[tokio::test]
async fn who_is_in_the_middle_of_it_when_it_expires_is_told() {
    // More than fits into everything between server and client that can hold bytes.
    const EVENTS: i64 = 8_000;
    let stage = Stage::new(10_000).await;
    join(&stage).await;
    let emit = "SELECT count(rowcast.emit('document_processing', 'o1', jsonb_build_object('text', repeat('x', 4000))))
                FROM generate_series(1, $1::bigint)";
    stage.writer.query_one(emit, &[&EVENTS]).await.unwrap();
    stage.settle(EVENTS).await;
    let server = Server::start_with(&stage.db, &[("ROWCAST_LOG_MIB", "1")]).await;
    let mut client = connect(&server, "0").await;
    assert_eq!(next_id(&mut client).await, 1);
    stage.age(EVENTS - 1, 8).await;
    stage.maintain_all().await;
    assert_eq!(stage.expired_through().await, EVENTS - 1);
    let mut last = 1;
    let reset = loop {
        let event = client.next_event().await.unwrap();
        if event.event == "connection_status" {
            break event;
        }
        assert_eq!(event.event, "document_processing", "nothing is left to come after {last}");
        let id: i64 = event.json()["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(id, last + 1, "nothing is passed over in silence");
        last = id;
    };
    assert_eq!(reset.json()["data"]["reason"], "history_expired");
    assert_eq!(reset.id, Some(EVENTS.to_string()));
    assert!(last < EVENTS - 1, "all of it fitted: the test shows nothing");
    let emitted = stage.emit(1).await;
    assert_eq!(next_id(&mut client).await, emitted);
    server.stop().await;
}

/// What a server reads at its start begins where history has expired: the log must not pass for more.
#[tokio::test]
async fn a_server_that_starts_later_knows_it_too() {
    let stage = expired().await;
    let mut server = Server::start(&stage.db).await;
    stage.age(50, 8).await;
    stage.settle(40).await;
    stage.maintain_all().await;
    assert_eq!(stage.expired_through().await, 40);
    server.terminate().await;
    server.restart().await;
    let mut client = connect(&server, "35").await;
    assert_eq!(client.next_event().await.unwrap().json()["data"]["reason"], "history_expired");
    server.stop().await;
}

#[tokio::test]
async fn the_reader_of_the_outbox_is_told_how_far_it_has_expired() {
    let stage = expired().await;
    let connection =
        rowcast::postgres::Database::new(&stage.db.url_as(Role::Server), 2).unwrap().connection().await.unwrap();
    let page = rowcast::postgres::outbox::read_ranges(&connection, &[(1, 20)], None, 10, 1_000).await.unwrap();
    assert_eq!((page.events().unwrap().len(), page.expired_through), (0, 30), "though there is no row");
}

/// It had been following, but was away for longer than history is kept.
#[tokio::test]
async fn a_server_that_was_away_for_too_long_tells_its_clients() {
    let stage = Stage::new(1_000).await;
    join(&stage).await;
    let server = Server::start(&stage.db).await;
    let mut client = connect(&server, "0").await;
    let name = stage.db.name();
    stage
        .execute(&format!(
            "ALTER DATABASE {name} CONNECTION LIMIT 0;
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND application_name LIKE 'server%'"
        ))
        .await;
    assert_eq!(client.next_of("connection_status").await.json()["data"]["status"], "degraded");
    stage.emit(50).await;
    stage.settle(50).await;
    stage.age(40, 8).await;
    stage.maintain_all().await;
    assert_eq!(stage.expired_through().await, 40);
    stage.execute(&format!("ALTER DATABASE {name} CONNECTION LIMIT -1")).await;
    let told = async {
        let first = client.next_of("connection_status").await;
        if first.json()["data"]["status"] == "recovered" { client.next_of("connection_status").await } else { first }
    };
    // Heartbeats come for ever.
    let reset = tokio::time::timeout(PATIENCE, told).await.expect("nothing is said of what was missed");
    assert_eq!((reset.json()["data"]["reason"].as_str(), reset.id.as_deref()), (Some("history_expired"), Some("50")));
    let emitted = stage.emit(1).await;
    assert_eq!(next_id(&mut client).await, emitted);
    server.stop().await;
}
