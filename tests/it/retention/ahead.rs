//! Partitions are there before the ids are drawn that go into them.

use super::{Stage, emit};
use crate::harness::Role;

#[tokio::test]
async fn one_partition_more_than_is_needed_is_always_there() {
    let stage = Stage::new(1_000).await;
    assert_eq!(stage.maintain().await, [""; 0], "nothing to do");
    stage.emit(1).await;
    assert_eq!(stage.maintain().await, ["created outbox_1001"]);
    stage.emit(999).await;
    assert_eq!(stage.maintain().await, [""; 0]);
    assert_eq!(stage.partitions().await, [("outbox_1".into(), 1, 1_000), ("outbox_1001".into(), 1_001, 2_000)]);
}

#[tokio::test]
async fn as_many_as_were_begun_within_a_day_are_there() {
    let stage = Stage::new(100).await;
    for _ in 0..4 {
        stage.emit(100).await;
        stage.maintain_all().await;
    }
    stage.emit(1).await;
    stage.maintain_all().await;
    // Five were begun: the one in use, and five more.
    assert_eq!(stage.partitions().await.last().unwrap().2, 1_000);

    // Yesterday's do not count.
    stage.age(350, 2).await;
    stage.settle(401).await;
    stage.emit(100).await;
    stage.maintain_all().await;
    assert_eq!(stage.partitions().await.last().unwrap().2, 1_000, "two are enough for the rate of today");
}

#[tokio::test]
async fn a_new_size_counts_for_new_partitions() {
    let stage = Stage::new(100).await;
    stage.execute("UPDATE rowcast.settings SET value = '5000' WHERE name = 'partition_size'").await;
    stage.emit(1).await;
    stage.maintain_all().await;
    assert_eq!(stage.partitions().await, [("outbox_1".into(), 1, 100), ("outbox_101".into(), 101, 5_100)]);
    for refused in ["0", "-1", "many", "1e6", ""] {
        let update = format!("UPDATE rowcast.settings SET value = '{refused}' WHERE name = 'partition_size'");
        let error = stage.superuser.batch_execute(&update).await.unwrap_err();
        assert!(error.as_db_error().unwrap().message().contains("not a number of ids"), "{error:?}");
    }
}

/// With ATTACH, which does without the outbox's exclusive lock, this transaction fails: it has its old picture of the partitions.
#[tokio::test]
async fn an_open_transaction_may_write_into_what_was_made_after_it_began() {
    let stage = Stage::new(100).await;
    let open = stage.db.connect_as(Role::Writer).await;
    open.batch_execute("BEGIN").await.unwrap();
    emit(&open, 1).await;
    stage.maintain().await;
    stage.emit(150).await;
    stage.maintain().await;
    assert_eq!(emit(&open, 1).await, 152);
    open.batch_execute("COMMIT").await.unwrap();
    assert_eq!(stage.ids().await, (1..=152).collect::<Vec<_>>());
}

#[tokio::test]
async fn ids_that_jump_need_no_partitions_in_between() {
    let stage = Stage::new(100).await;
    stage.execute("SELECT setval('rowcast.outbox_id_seq', 123456)").await;
    assert_eq!(stage.maintain().await, ["created outbox_101", "created outbox_123501"]);
    assert_eq!(
        stage.partitions().await[1..],
        [("outbox_101".into(), 101, 123_500), ("outbox_123501".into(), 123_501, 123_600)]
    );
}

#[tokio::test]
async fn a_missing_net_is_spread_again() {
    let stage = Stage::new(100).await;
    stage.execute("DROP TABLE rowcast.outbox_default").await;
    assert_eq!(stage.maintain().await, ["created outbox_default"]);
    stage.execute("SELECT setval('rowcast.outbox_id_seq', 1000)").await;
    assert_eq!(stage.emit(1).await, 1_001);
}
