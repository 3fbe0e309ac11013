//! Partitions that nobody writes to any more get an index for clients that may see little.

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
