//! `current_cursor()`: what the caller's own snapshot has seen.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::{DOCS, Stage};
use crate::harness::Role;

async fn cursor(client: &Client) -> String {
    client.query_one("SELECT rowcast.current_cursor()", &[]).await.unwrap().get(0)
}

/// Ids as if they had been drawn and rolled back: all up to `last` but those that are there.
async fn outbox(stage: &Stage, settled: i64, ids: &str) {
    stage
        .superuser
        .batch_execute(&format!(
            "DELETE FROM rowcast.outbox; UPDATE rowcast.settled SET id = {settled};
             INSERT INTO rowcast.outbox (id, event_type, audience, operation, data) SELECT i, 'x', 'platform', 'EMIT', '{{}}' FROM {ids} i"
        ))
        .await
        .unwrap();
}

#[tokio::test]
async fn it_is_the_head_and_every_gap_above_the_settled_floor() {
    let stage = Stage::new("").await;
    for (settled, ids, expected) in [
        (0, "generate_series(1, 0)", "0"),
        (7, "generate_series(1, 0)", "7"),
        (0, "generate_series(1, 5)", "5"),
        (0, "unnest('{1,2,4,5}'::int[])", "5~3"),
        (0, "unnest('{3}'::int[])", "3~1-2"),
        (2, "unnest('{5,6,9}'::int[])", "9~3-4.7-8"),
        (8, "unnest('{2,9,11,15}'::int[])", "15~10.12-14"),
        (20, "unnest('{2,9}'::int[])", "20"),
        // 64 ranges, and one more.
        (
            0,
            "generate_series(2, 128, 2)",
            &(1..=64).fold("128~".to_owned(), |list, i| format!("{list}{}{}", if i > 1 { "." } else { "" }, 2 * i - 1)),
        ),
        (0, "generate_series(2, 130, 2)", "0"),
        (10, "generate_series(12, 200, 2)", "10"),
        (10, "unnest(ARRAY(SELECT generate_series(11, 20) UNION ALL SELECT generate_series(22, 200, 2)))", "20"),
    ] {
        outbox(&stage, settled, ids).await;
        assert_eq!(cursor(&stage.writer).await, expected, "{settled} {ids}");
    }
}

#[tokio::test]
async fn it_sees_with_the_snapshot_of_its_caller() {
    let stage = Stage::new(DOCS).await;
    stage.attach("'public.docs', 'document_processing'").await;
    let slow = stage.db.connect_as(Role::App).await;
    slow.batch_execute("BEGIN; INSERT INTO docs VALUES (1)").await.unwrap();
    stage.write("INSERT INTO docs VALUES (2); INSERT INTO docs VALUES (3)").await;
    let reader = stage.db.connect_as(Role::Reader).await;
    // It draws no id and takes no xid.
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.unwrap();
    assert_eq!(cursor(&reader).await, "3~1");
    slow.batch_execute("COMMIT").await.unwrap();
    stage.write("INSERT INTO docs VALUES (4)").await;
    assert_eq!(cursor(&reader).await, "3~1", "what its snapshot does not see is still to come");
    reader.batch_execute("COMMIT").await.unwrap();
    assert_eq!(cursor(&reader).await, "4");
    let drawn: i64 =
        stage.superuser.query_one("SELECT last_value FROM rowcast.outbox_id_seq", &[]).await.unwrap().get(0);
    assert_eq!(drawn, 4);
}

#[tokio::test]
async fn its_own_writes_count_as_seen() {
    let stage = Stage::new(DOCS).await;
    stage.attach("'public.docs', 'document_processing'").await;
    stage.own("BEGIN; INSERT INTO docs VALUES (1)").await;
    assert_eq!(cursor(&stage.writer).await, "1");
    stage.own("ROLLBACK").await;
    assert_eq!(cursor(&stage.writer).await, "0");
}

#[tokio::test]
async fn it_is_fast_on_a_large_outbox_when_the_floor_is_near() {
    let stage = Stage::new("").await;
    outbox(&stage, 199_900, "generate_series(1, 200000)").await;
    stage.superuser.batch_execute("ANALYZE rowcast.outbox").await.unwrap();
    let plan = stage
        .superuser
        .query("EXPLAIN (ANALYZE, TIMING OFF) SELECT o.id FROM rowcast.outbox o WHERE o.id > (SELECT id FROM rowcast.settled)", &[])
        .await
        .unwrap();
    let plan: Vec<&str> = plan.iter().map(|row| row.get(0)).collect();
    assert!(plan.iter().any(|line| line.contains("Index")), "{plan:#?}");
    let fastest = {
        let mut fastest = Duration::MAX;
        for _ in 0..5 {
            let started = Instant::now();
            assert_eq!(cursor(&stage.writer).await, "200000");
            fastest = fastest.min(started.elapsed());
        }
        fastest
    };
    // Reading all of it takes a hundred times as long.
    assert!(fastest < Duration::from_millis(10), "{fastest:?}");
}
