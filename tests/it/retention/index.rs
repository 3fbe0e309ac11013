//! Partitions that nobody writes to any more get an index for clients that may see little.

use rowcast::postgres::{self, outbox};

use super::Stage;
use crate::harness::Role;

async fn indexed(stage: &Stage) -> Vec<i64> {
    let query = "SELECT first_id FROM rowcast.outbox_partitions WHERE indexed ORDER BY 1";
    stage.superuser.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn only_closed_partitions_are_indexed_one_at_a_time() {
    let stage = Stage::new(100).await;
    for _ in 0..3 {
        stage.emit(100).await;
        stage.maintain_all().await;
    }
    assert_eq!(indexed(&stage).await, [0_i64; 0], "nothing is settled");
    stage.settle(299).await;
    assert_eq!(stage.maintain().await, ["indexed outbox_1"]);
    assert_eq!(stage.maintain_all().await, ["indexed outbox_101"]);
    assert_eq!(indexed(&stage).await, [1, 101], "300 may still come");
    assert_eq!(stage.number("SELECT indexed_through FROM rowcast.maintenance").await, 200);
}

#[tokio::test]
async fn who_writes_to_a_closed_partition_is_not_waited_for() {
    let stage = Stage::new(100).await;
    stage.emit(150).await;
    stage.maintain_all().await;
    stage.settle(150).await;
    let dba = stage.db.connect_as(Role::Superuser).await;
    dba.batch_execute("BEGIN; DELETE FROM rowcast.outbox WHERE id = 7").await.unwrap();
    let steps = stage.steps().await;
    assert_eq!(steps.iter().map(super::Step::summary).collect::<Vec<_>>(), ["postponed outbox_1"]);
    dba.batch_execute("COMMIT").await.unwrap();
    assert_eq!(stage.maintain().await, ["indexed outbox_1"]);
}

/// Pages that follow the index find what pages that read everything find.
#[tokio::test]
async fn history_is_the_same_with_the_index_and_without() {
    let stage = Stage::new(100).await;
    for _ in 0..4 {
        stage.emit(90).await;
        stage
            .execute(
                "INSERT INTO rowcast.outbox (id, event_type, audience, operation, data)
                 SELECT nextval('rowcast.outbox_id_seq'), 'x', audience, 'EMIT', '{}' FROM unnest('{platform,nobody}'::text[]) audience",
            )
            .await;
        stage.maintain_all().await;
    }
    stage.settle(330).await;
    stage.maintain_all().await;
    assert_eq!(stage.number("SELECT indexed_through FROM rowcast.maintenance").await, 300);
    let expected = |first: i64, last: i64| {
        let query = "SELECT id FROM rowcast.outbox WHERE id BETWEEN $1 AND $2 AND (organization_id IN ('o1', 'o5') OR audience = 'platform')
                     ORDER BY id";
        let superuser = &stage.superuser;
        async move {
            let rows = superuser.query(query, &[&first, &last]).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>()
        }
    };
    let connection = postgres::Database::new(&stage.db.url_as(Role::Server), 2).unwrap().connection().await.unwrap();
    let organizations: [Box<str>; 2] = ["o1".into(), "o5".into()];
    for (ranges, limit) in [
        (vec![(1, 368)], 500),
        (vec![(1, 368)], 7),
        (vec![(50, 60), (95, 120), (290, 340)], 5),
        (vec![(299, 302)], 500),
        (vec![(310, 368)], 20),
    ] {
        let mut all = Vec::new();
        for &(first, last) in &ranges {
            all.extend(expected(first, last).await);
        }
        let (mut ids, mut done) = (Vec::new(), 0);
        loop {
            let left: Vec<_> = ranges
                .iter()
                .map(|&(first, last)| (first.max(done + 1), last))
                .filter(|(first, last)| first <= last)
                .collect();
            let page = outbox::read_ranges(&connection, &left, Some(&organizations), limit, 1 << 20).await.unwrap();
            ids.extend(page.events().unwrap().iter().map(|event| event.id));
            let Some(read_through) = page.read_through else { break };
            assert!(read_through > done, "it does not come on");
            done = read_through;
        }
        assert_eq!(ids, all, "{ranges:?} by {limit}");
    }
}

/// Who may see little pays for little, however long ago.
#[tokio::test]
async fn a_page_for_few_reads_the_index_of_closed_partitions_and_no_more() {
    let stage = Stage::new(2_000).await;
    for _ in 0..3 {
        stage.emit(2_000).await;
        stage.maintain_all().await;
    }
    stage.settle(6_000).await;
    stage.execute("UPDATE rowcast.outbox SET organization_id = 'rare' WHERE id IN (3, 3000)").await;
    stage.maintain_all().await;
    stage.emit(500).await;
    stage.execute("ANALYZE rowcast.outbox").await;
    // Twice: a plan that is made for these values, and one that is kept.
    for _ in 0..2 {
        stage.execute("BEGIN").await;
        let found = stage.number("SELECT count(id) FROM rowcast.read_ranges('{1}', '{6500}', '{rare}', 500)").await;
        let rows = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables WHERE relname LIKE 'outbox%'";
        let read = stage.number(rows).await;
        stage.execute("COMMIT").await;
        assert_eq!(found, 2);
        assert!((2..20).contains(&read), "it reads {read} rows for two");
    }
}
