//! Whom an event is for, on every way that it can come: live, by poll, and on replay from memory and from the outbox.
//!
//! Platform-wide events reach those to whom they belong, those of an organization that is NULL nobody, private ones their user and admins.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    documents::{connect, emit, prepare},
    harness::{self, Database, Role, Server, eventually, sse},
};

/// The last event, which everybody gets.
const LAST: &str = "last";

const USERS: [&str; 6] = ["ann", "ben", "cleo", "dora", "sam", "zed"];

/// Events by name, and who is to get them. `zed` has left every organization, and was told no more than that.
const EXPECTED: [(&str, &[&str]); 8] = [
    ("for the platform", &["ann", "ben", "cleo", "dora", "sam"]),
    ("for the platform, with permission", &["sam"]),
    ("of o1, with permission", &["ben", "sam"]),
    ("of nobody", &[]),
    ("private of nobody", &[]),
    ("private of ann in o1", &["ann", "ben", "sam"]),
    ("private of cleo in o1", &["ben", "sam"]),
    ("private of ann, of no organization", &["ann", "sam"]),
];

async fn write(db: &Database) {
    let writer = db.connect_as(Role::Writer).await;
    let tables = "
        CREATE TABLE notes (name text PRIMARY KEY, org text);
        CREATE TABLE drafts (name text PRIMARY KEY, org text, author text);
        CREATE TABLE letters (name text PRIMARY KEY, author text);
        SELECT rowcast.attach('notes', 'document_processing', organization_id => 'r.org');
        SELECT rowcast.attach('drafts', 'document_processing', organization_id => 'r.org', user_id => 'r.author', private => true);
        SELECT rowcast.attach('letters', 'document_processing', user_id => 'r.author', private => true);";
    writer.batch_execute(tables).await.unwrap();
    emit(db, "'document_processing', NULL, '{\"name\": \"for the platform\"}'").await;
    emit(db, "'system_health', NULL, '{\"name\": \"for the platform, with permission\"}'").await;
    emit(db, "'system_health', 'o1', '{\"name\": \"of o1, with permission\"}'").await;
    let rows = "
        INSERT INTO notes VALUES ('of nobody', NULL);
        INSERT INTO drafts VALUES ('private of nobody', NULL, 'ann'), ('private of ann in o1', 'o1', 'ann'), ('private of cleo in o1', 'o1', 'cleo');
        INSERT INTO letters VALUES ('private of ann, of no organization', 'ann');";
    writer.batch_execute(rows).await.unwrap();
    emit(db, &format!("'document_processing', NULL, '{{\"name\": \"{LAST}\"}}'")).await;
}

fn name(event: &Value) -> String {
    event["data"]["name"].as_str().unwrap_or_default().to_owned()
}

/// The names of the events on the stream, up to the last.
async fn read(client: &mut sse::Client) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    loop {
        let event = client.next_event().await.expect("the stream ended");
        if !["connection_status", "cursor"].contains(&event.event.as_str()) {
            let name = name(&event.json());
            if name == LAST {
                return names;
            }
            names.insert(name);
        }
    }
}

async fn poll(server: &Server, user: &str) -> BTreeSet<String> {
    let headers = format!("Authorization: Bearer {}\r\n", harness::token(user));
    let target = "/api/v1/realtime/events?after=0&wait=0&limit=1000";
    let mut answer = sse::Client::request(&server.url(), "GET", target, &headers, "").await;
    let body = answer.rest().await;
    if user == "zed" {
        assert!(answer.status == 403 && body.contains("not_a_member"), "{body}");
        return BTreeSet::new();
    }
    let names: BTreeSet<_> =
        serde_json::from_str::<Value>(&body).unwrap()["events"].as_array().unwrap().iter().map(name).collect();
    assert!(names.contains(LAST), "{user}: {body}");
    names.into_iter().filter(|name| name != LAST && !name.is_empty()).collect()
}

fn expected() -> BTreeMap<&'static str, BTreeSet<String>> {
    let gets = |user: &str| {
        EXPECTED.iter().filter(|(_, users)| users.contains(&user)).map(|(name, _)| (*name).to_owned()).collect()
    };
    USERS.into_iter().map(|user| (user, gets(user))).collect()
}

#[tokio::test]
async fn events_reach_those_they_are_for_live_by_poll_and_on_replay() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start_with(&db, &[("ROWCAST_LOG_MIB", "1")]).await;
    let wanted = expected();
    let mut live = BTreeMap::new();
    for user in &USERS[..5] {
        live.insert(*user, connect(&server, user, None).await);
    }
    write(&db).await;
    for (user, client) in &mut live {
        assert_eq!(read(client).await, wanted[user], "{user}, live");
    }
    for user in USERS {
        assert_eq!(poll(&server, user).await, wanted[user], "{user}, by poll");
    }
    for user in &USERS[..5] {
        let mut back = sse::Client::connect(&server.url(), &harness::token(user), Some("0")).await;
        assert_eq!(read(&mut back).await, wanted[user], "{user}, on replay");
    }

    // Nobody who does not read is to be waited for at the end.
    drop(live);
    // Until the log has forgotten them: replay and poll read the outbox.
    let superuser = db.connect_as(Role::Superuser).await;
    superuser
        .batch_execute("SELECT rowcast.emit('document_processing', 'elsewhere', jsonb_build_object('filling', repeat('x', 60000))) FROM generate_series(1, 30)")
        .await
        .unwrap();
    let metrics = async || {
        let mut answer = sse::Client::request(&server.url(), "GET", "/metrics", "Connection: close\r\n", "").await;
        let figures = answer.rest().await;
        move |name: &str| {
            let found = figures.lines().find_map(|line| line.strip_prefix(name).map(str::trim).map(str::to_owned));
            found.unwrap_or_default().parse::<f64>().unwrap_or(0.0)
        }
    };
    eventually("all to be read", async || {
        (metrics().await("rowcast_settled_lag") < 0.5
            && metrics().await(r#"rowcast_events_read_total{type="document_processing"}"#) >= 36.0)
            .then_some(())
    })
    .await;
    let before = metrics().await(r#"rowcast_replays_total{source="outbox"}"#);
    for user in USERS {
        assert_eq!(poll(&server, user).await, wanted[user], "{user}, by poll, from the outbox");
    }
    for user in &USERS[..5] {
        let mut back = sse::Client::connect(&server.url(), &harness::token(user), Some("0")).await;
        assert_eq!(read(&mut back).await, wanted[user], "{user}, on replay, from the outbox");
    }
    assert!(metrics().await(r#"rowcast_replays_total{source="outbox"}"#) >= before + 10.0, "they came from memory");
    let for_nobody = metrics().await("rowcast_events_for_nobody_total");
    assert!((for_nobody - 2.0).abs() < 0.5, "{for_nobody} events for nobody");
    server.stop().await;
}
