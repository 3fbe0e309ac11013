//! The database may fail at the telling, or altogether: no stream waits for it, and what there was room for is told afterwards.

use std::time::Duration;

use super::{ON, number, story, told};
use crate::{
    connections::open,
    documents,
    harness::{Database, Role, Server, eventually},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_come_and_go_while_nothing_can_be_told() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let owner = db.connect().await;
    let server = Server::start_with(&db, &[ON]).await;
    owner.batch_execute("ALTER TABLE rowcast.activity RENAME TO activity_away").await.unwrap();
    for _ in 0..3 {
        drop(open(&server, "ann", "").await);
    }
    let (mut stream, _) = open(&server, "ben", "").await;
    let id = documents::emit(&db, "'document_processing', 'o1', '{}'").await;
    assert_eq!(stream.next_of("document_processing").await.json()["id"], id, "it is served as ever");
    eventually("it to say so", async || server.log().contains("what users do cannot be told").then_some(())).await;
    assert!(server.is_ready().await);
    owner.batch_execute("ALTER TABLE rowcast.activity_away RENAME TO activity").await.unwrap();
    let story = told(&owner, 7).await;
    for (what, count) in [("o1 ann connected", 3), ("o1 ann disconnected", 3), ("o1 ben connected", 1)] {
        assert_eq!(story.iter().filter(|line| line.starts_with(what)).count(), count, "{what}: {story:#?}");
    }
    server.stop().await;
}

/// The telling waits for a lock; those who come and go do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_the_telling() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let mut owner = db.connect().await;
    let reader = db.connect_as(Role::Reader).await;
    let server = Server::start_with(&db, &[ON]).await;
    let held = owner.transaction().await.unwrap();
    held.batch_execute("LOCK TABLE rowcast.activity, rowcast.attendance IN EXCLUSIVE MODE").await.unwrap();
    let begun = tokio::time::Instant::now();
    for _ in 0..10 {
        drop(open(&server, "ann", "").await);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(story(&reader).await, [""; 0]);
    held.commit().await.unwrap();
    told(&reader, 20).await;
    server.stop().await;
    assert_eq!(story(&reader).await.len(), 20);
}

/// The answer is lost, not the deed: the same is told again, and written once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_twice_is_written_once() {
    let db = Database::new().await;
    let server = db.connect_as(Role::Server).await;
    let told = r#"[{"id": "c-1", "at": "2026-01-01T00:00:00Z", "action": "connected", "organization_id": "o1", "user_id": "ann", "session_id": "c", "metadata": {"transport": "sse"}},
                   {"id": "c-2", "at": "2026-01-01T00:00:00Z", "action": "connected", "organization_id": null, "user_id": "ann", "session_id": "c", "metadata": {"transport": "sse"}}]"#;
    let gone = r#"[{"id": "c-1", "at": "2026-01-01T00:00:02Z", "reason": "client"}]"#;
    let tell = format!("SELECT rowcast.tell_activity('s', '{told}', '{gone}')");
    let owner = db.connect().await;
    for _ in 0..2 {
        server.batch_execute(&tell).await.unwrap();
        assert_eq!(number(&owner, "SELECT count(*) FROM rowcast.outbox WHERE event_type = 'user_activity' AND operation = 'INSERT' AND data ->> 'action' = 'connected'").await, 2);
    }
    // Another one has told of the end meanwhile.
    assert_eq!(number(&server, "SELECT rowcast.tell_departures(10)::bigint").await, 1);
    server.batch_execute(&tell).await.unwrap();
    assert_eq!(number(&server, "SELECT rowcast.tell_departures(10)::bigint").await, 0);
    let duration = "SELECT (metadata ->> 'duration')::bigint FROM rowcast.activity WHERE action = 'disconnected'";
    assert_eq!(number(&owner, duration).await, 2_000);
}

#[tokio::test]
async fn history_has_an_end() {
    let db = Database::new().await;
    let owner = db.connect().await;
    let old = "INSERT INTO rowcast.activity (id, created_at, organization_id, action) VALUES
            ('old', now() - interval '31 days', 'o1', 'connected'), ('new', now() - interval '29 days', 'o1', 'connected'),
            ('old of staff', now() - interval '31 days', NULL, 'connected')";
    owner.batch_execute(old).await.unwrap();
    owner.batch_execute("SELECT rowcast.prune('7 days')").await.unwrap();
    assert_eq!(number(&owner, "SELECT count(*) FROM rowcast.activity").await, 1);
}
