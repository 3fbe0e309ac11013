//! Rows that had no partition: the DEFAULT one becomes an ordinary one, and nobody notices.

use std::time::Duration;

use super::Stage;
use crate::harness::{Role, Server, eventually, sse, token};

#[tokio::test]
async fn the_net_becomes_a_partition_and_a_new_one_is_spread() {
    let stage = Stage::new(100).await;
    stage.emit(250).await;
    let before = fingerprint(&stage).await;
    assert_eq!(stage.maintain().await, ["adopted outbox_101", "created outbox_default", "created outbox_401"]);
    assert_eq!(fingerprint(&stage).await, before);
    assert_eq!(stage.partitions().await[1], ("outbox_101".into(), 101, 400));
    assert_eq!(stage.number("SELECT count(*) FROM rowcast.outbox_default").await, 0);
    // By the old name, for the next time.
    stage.execute("SELECT setval('rowcast.outbox_id_seq', 900)").await;
    stage.emit(10).await;
    assert_eq!(stage.maintain().await[..2], ["adopted outbox_501", "created outbox_default"]);
    assert_eq!(stage.emit(1).await, 911);
    assert_eq!(stage.ids().await.len(), 261);
}

/// Every row, as it is on disk: one that was moved would have another place.
async fn fingerprint(stage: &Stage) -> String {
    let query = "SELECT md5(string_agg(format('%s %s %s', o.ctid, o.xmin, o), '' ORDER BY id)) FROM rowcast.outbox o";
    stage.superuser.query_one(query, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_large_net_is_proved_first_while_writers_go_on() {
    let stage = Stage::new(100).await;
    stage.execute("SELECT setval('rowcast.outbox_id_seq', 100)").await;
    fill(&stage).await;
    assert_eq!(stage.maintain().await, ["limited outbox_default"]);
    let last = stage.emit(10).await;
    // The proof reads every row, and keeps nobody from writing.
    let proving = stage.db.connect_as(Role::Owner).await;
    proving.batch_execute("BEGIN").await.unwrap();
    let steps = super::steps(&proving, "SELECT * FROM rowcast.maintain()").await;
    assert_eq!(steps[0].summary(), "proved outbox_default");
    assert_eq!(stage.emit(1).await, last + 1);
    proving.batch_execute("COMMIT").await.unwrap();
    assert_eq!(stage.maintain().await[..2], ["adopted outbox_101", "created outbox_default"]);
    assert_eq!(stage.ids().await, (101..=last + 1).collect::<Vec<_>>());
    let constraints = "SELECT count(*) FROM pg_constraint WHERE conname = 'becomes_a_partition'";
    assert_eq!(stage.number(constraints).await, 0);
}

/// More than Postgres may look at while everybody waits.
async fn fill(stage: &Stage) {
    stage
        .execute(
            "INSERT INTO rowcast.outbox (id, event_type, audience, operation, data)
             SELECT nextval('rowcast.outbox_id_seq'), 'x', 'platform', 'EMIT', jsonb_build_object('x', repeat('x', 1500))
             FROM generate_series(1, 12000)",
        )
        .await;
}

#[tokio::test]
async fn the_limit_lifts_itself() {
    let stage = Stage::new(100).await;
    stage.execute("SELECT setval('rowcast.outbox_id_seq', 100)").await;
    fill(&stage).await;
    assert_eq!(stage.maintain().await, ["limited outbox_default"]);
    let insert = "INSERT INTO rowcast.outbox (id, event_type, audience, operation, data)
                  VALUES (1000000000, 'x', 'platform', 'EMIT', '{}')";
    let error = stage.superuser.batch_execute(insert).await.unwrap_err();
    assert_eq!(error.as_db_error().unwrap().constraint(), Some("becomes_a_partition"));
    // As if nobody had maintained anything for ten minutes.
    stage
        .execute(
            "ALTER TABLE rowcast.outbox_default DROP CONSTRAINT becomes_a_partition,
                 ADD CONSTRAINT becomes_a_partition CHECK (id >= '101'::bigint AND id < rowcast.limit_until('20000'::bigint, now()))",
        )
        .await;
    stage.execute(insert).await;
    assert_eq!(stage.maintain().await, ["limited outbox_default"], "what was proved then is worth nothing now");
}

#[tokio::test]
async fn rows_among_other_partitions_are_left_to_the_dba() {
    let stage = Stage::new(100).await;
    stage.emit(150).await;
    stage.maintain_all().await;
    stage
        .execute("CREATE TABLE kept AS SELECT * FROM rowcast.outbox WHERE id <= 100; DROP TABLE rowcast.outbox_1")
        .await;
    stage.execute("INSERT INTO rowcast.outbox SELECT * FROM kept WHERE id = 7").await;
    let steps = stage.steps().await;
    assert_eq!(steps.iter().map(super::Step::summary).collect::<Vec<_>>(), ["postponed outbox_default"]);
    assert!(steps[0].detail.contains("holds ids from 7 on"), "{steps:?}");
    // It is no more than told, until what comes later lands in the net as well.
    stage.emit(1_000).await;
    assert_eq!(stage.maintain().await, ["postponed outbox_default"]);
    stage.execute("DELETE FROM rowcast.outbox_default WHERE id = 7").await;
    assert!(stage.maintain().await[0].starts_with("adopted"));
}

#[tokio::test]
async fn a_client_gets_every_event_once_while_the_net_becomes_a_partition() {
    let stage = Stage::new(50).await;
    stage
        .execute("INSERT INTO rowcast.memberships (user_id, organization_id, role) VALUES ('ann', NULL, 'member')")
        .await;
    let server = Server::start(&stage.db).await;
    let mut client = sse::Client::connect(&server.url(), &token("ann"), None).await;
    client.next_of("connection_status").await;
    let writer = stage.db.connect_as(Role::Writer).await;
    let writing = async {
        for _ in 0..200 {
            super::emit(&writer, 3).await;
        }
    };
    let adopting = async {
        // Before anybody has made partitions, rows land in the net.
        eventually("rows in the net", async || {
            (stage.number("SELECT count(*) FROM rowcast.outbox_default").await > 0).then_some(())
        })
        .await;
        let mut adopted = false;
        eventually("the net to become a partition", async || {
            adopted |= stage.maintain().await.iter().any(|step| step.starts_with("adopted"));
            adopted.then_some(())
        })
        .await;
    };
    let reading = async {
        let mut ids: Vec<i64> = Vec::new();
        while ids.len() < 600 {
            let event = tokio::time::timeout(Duration::from_secs(20), client.next_of("document_processing"));
            ids.push(event.await.unwrap().json()["id"].as_str().unwrap().parse().unwrap());
        }
        ids
    };
    let ((), (), ids) = tokio::join!(writing, adopting, reading);
    assert_eq!(ids, (1..=600).collect::<Vec<_>>());
    server.stop().await;
}
