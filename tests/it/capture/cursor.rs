//! `current_cursor()`: what the caller's own snapshot has seen.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::{DOCS, Stage};
use crate::harness::Role;

async fn cursor(client: &Client) -> String {
    client.query_one("SELECT rowcast.current_cursor()", &[]).await.unwrap().get(0)
}

/// Ids as if they had been drawn, and rolled back where they are not there.
async fn outbox(stage: &Stage, undecided: &str, ids: &str) {
    stage
        .superuser
        .batch_execute(&format!(
            "DELETE FROM rowcast.outbox; UPDATE rowcast.settled SET undecided = '{{{undecided}}}';
             INSERT INTO rowcast.outbox (id, event_type, audience, operation, data) SELECT i, 'x', 'platform', 'EMIT', '{{}}' FROM {ids} i;
             SELECT setval('rowcast.outbox_id_seq', greatest(1, (SELECT max(id) FROM rowcast.outbox)))"
        ))
        .await
        .unwrap();
}

#[tokio::test]
async fn it_is_the_head_and_every_id_that_is_neither_settled_nor_seen() {
    let stage = Stage::new("").await;
    for (undecided, ids, expected) in [
        ("[1,)", "generate_series(1, 0)", "0"),
        ("[8,)", "generate_series(1, 0)", "7"),
        ("[1,)", "generate_series(1, 5)", "5"),
        ("[1,)", "unnest('{1,2,4,5}'::int[])", "5~3"),
        ("[1,)", "unnest('{3}'::int[])", "3~1-2"),
        ("[3,)", "unnest('{5,6,9}'::int[])", "9~3-4.7-8"),
        ("[9,)", "unnest('{2,9,11,15}'::int[])", "15~10.12-14"),
        ("[21,)", "unnest('{2,9}'::int[])", "20"),
        ("[3,4],[8,9],[21,)", "unnest('{4,5}'::int[])", "20~3.8-9"),
        ("[3,4],[8,9],[21,)", "unnest('{8,22,24}'::int[])", "24~3-4.9.21.23"),
    ] {
        outbox(&stage, undecided, ids).await;
        assert_eq!(cursor(&stage.writer).await, expected, "{undecided} {ids}");
    }
}

#[tokio::test]
async fn beyond_64_gaps_the_nearest_are_one() {
    let stage = Stage::new("").await;
    let single = |last: i64| (1..last).step_by(2).map(|id| id.to_string()).collect::<Vec<_>>().join(".");
    outbox(&stage, "[1,)", "generate_series(2, 128, 2)").await;
    assert_eq!(cursor(&stage.writer).await, format!("128~{}", single(128)));
    outbox(
        &stage,
        "[1,)",
        "unnest(ARRAY(SELECT generate_series(2, 126, 2) UNION SELECT 127 UNION SELECT generate_series(129, 141, 2)))",
    )
    .await;
    let text = cursor(&stage.writer).await;
    assert_eq!(text.matches('.').count(), 63);
    let parsed: rowcast::cursor::Cursor = text.parse().unwrap();
    let drawn = |id: i64| id <= 127 && id % 2 == 0 || id == 127 || id > 127 && id % 2 == 1;
    assert!((1..=141).all(|id| drawn(id) || !parsed.contains(id)), "it claims what was not seen: {text}");
    assert!(parsed.contains(127) && parsed.contains(141), "where gaps are furthest apart they stay so: {text}");
    // Many more, and two that lie far from the rest.
    outbox(&stage, "[1,100],[500,700],[1000,)", "generate_series(501, 699, 2)").await;
    let text = cursor(&stage.writer).await;
    assert!(text.starts_with("999~1-100.500."), "{text}");
    assert_eq!(text.matches('.').count(), 63);
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
    outbox(&stage, "[199901,)", "generate_series(1, 200000)").await;
    stage.superuser.batch_execute("ANALYZE rowcast.outbox").await.unwrap();
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
