//! One stream's story: it comes, is changed, and goes.

use serde_json::json;

use super::{ON, data, number, story, told};
use crate::{
    connections::{asking, open, post},
    documents,
    harness::{Database, Role, Server, eventually, sse, token},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_told_of_from_its_coming_to_its_end() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let reader = db.connect_as(Role::Reader).await;
    let server = Server::start_with(&db, &[ON]).await;
    let (stream, id) = open(&server, "ann", "subscriptions=document_processing,conversation_activity").await;
    let types = ["conversation_activity"];
    assert_eq!(post(&server, "ann", &asking(&id, "unsubscribe", &types)).await.0, 200);
    assert_eq!(post(&server, "ann", &asking(&id, "subscribe", &types)).await.0, 200);
    // Changes nothing, and is nothing to be told.
    assert_eq!(post(&server, "ann", &asking(&id, "subscribe", &types)).await.0, 200);
    drop(stream);
    let expected = [
        "o1 ann connected conversation_activity,document_processing",
        "o1 ann unsubscribed conversation_activity",
        "o1 ann subscribed conversation_activity",
        "o1 ann disconnected client",
    ];
    assert_eq!(told(&reader, 4).await, expected);
    let data = data(&db).await;
    assert!(data.iter().all(|data| data["userId"] == "ann" && data["sessionId"] == *id), "{data:#?}");
    let first = json!({"transport": "sse", "eventTypes": ["conversation_activity", "document_processing"]});
    assert_eq!(data[0]["metadata"], first);
    let duration = data[3]["metadata"]["duration"].as_f64().unwrap();
    assert!((0.0..60_000.0).contains(&duration), "{duration} ms");
    let envelope = "SELECT user_id || session_id || priority || source FROM rowcast.outbox WHERE event_type = 'user_activity' LIMIT 1";
    let envelope: String = reader.query_one(envelope, &[]).await.unwrap().get(0);
    assert_eq!(envelope, format!("ann{id}lowrowcast.activity"));
    assert_eq!(number(&reader, "SELECT count(*) FROM rowcast.attendance").await, 0);
    server.stop().await;
    assert_eq!(story(&reader).await.len(), 4, "and nothing more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_hears_of_it_on_a_stream() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let server = Server::start_with(&db, &[ON]).await;
    let (mut ben, id) = open(&server, "ben", "subscriptions=user_activity").await;
    let own = ben.next_of("user_activity").await.json();
    assert_eq!((own["data"]["action"].as_str(), own["sessionId"].as_str()), (Some("connected"), Some(&*id)));
    drop(open(&server, "ann", "").await);
    for action in ["connected", "disconnected"] {
        let event = ben.next_of("user_activity").await.json();
        assert_eq!((event["userId"].as_str(), event["data"]["action"].as_str()), (Some("ann"), Some(action)));
        assert_eq!(event["organizationId"], "o1");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_says_why() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let owner = db.connect().await;
    let server = Server::start_with(&db, &[ON]).await;
    let _streams = [open(&server, "ann", "").await, open(&server, "ben", "").await];
    told(&owner, 2).await;
    owner.batch_execute("SELECT rowcast.disconnect('ann')").await.unwrap();
    assert_eq!(told(&owner, 3).await[2], "o1 ann disconnected disconnected");
    // A shutdown has its time to tell.
    server.stop().await;
    assert_eq!(story(&owner).await[3..], ["o1 ben disconnected unavailable"]);
    assert_eq!(number(&owner, "SELECT count(*) FROM rowcast.attendance").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_told_unless_it_is_asked_for_and_polls_are_no_streams() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let reader = db.connect_as(Role::Reader).await;
    let server = Server::start(&db).await;
    let (stream, id) = open(&server, "ann", "").await;
    assert_eq!(post(&server, "ann", &asking(&id, "unsubscribe", &["document_processing"])).await.0, 200);
    drop(stream);
    let gone = "SELECT count(*) FROM rowcast.connections";
    eventually("the stream to be gone", async || (number(&reader, gone).await == 0).then_some(())).await;
    server.stop().await;
    let rows = "SELECT (SELECT count(*) FROM rowcast.activity) + (SELECT count(*) FROM rowcast.attendance)";
    assert_eq!(number(&reader, rows).await, 0);

    let server = Server::start_with(&db, &[ON]).await;
    let bearer = format!("Authorization: Bearer {}\r\n", token("ann"));
    let poll = sse::Client::request(&server.url(), "GET", "/api/v1/realtime/events?after=0&wait=0", &bearer, "").await;
    assert_eq!(poll.status, 200);
    drop(open(&server, "ben", "").await);
    assert_eq!(told(&reader, 1).await[0].split(" connected").next(), Some("o1 ben"));
    server.stop().await;
}
