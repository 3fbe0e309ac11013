//! Nobody who writes has to wait for maintenance longer than its lock time-out, whoever keeps transactions open.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Stage, emit};
use crate::harness::{Role, eventually};

/// What maintenance waits for a lock at most, and so whoever comes after it.
const LOCK_TIMEOUT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn writers_pass_while_transactions_stay_open_in_old_and_new_partitions() {
    let stage = Stage::new(100).await;
    stage.emit(110).await;
    stage.maintain_all().await;
    let (old, hot) = (stage.db.connect_as(Role::Writer).await, stage.db.connect_as(Role::Writer).await);
    old.batch_execute("BEGIN").await.unwrap();
    assert_eq!(emit(&old, 1).await, 111);
    stage.emit(1_000).await;
    hot.batch_execute("BEGIN").await.unwrap();
    assert_eq!(emit(&hot, 1).await, 1_112);
    // There is something to do of each kind: drop, empty, make, index, and rows in the net.
    stage.settle(110).await;
    stage.age(100, 8).await;

    let done = CancellationToken::new();
    let writer = stage.db.connect_as(Role::Writer).await;
    let writing = async {
        let (mut longest, mut count) = (Duration::ZERO, 0);
        while !done.is_cancelled() {
            let started = Instant::now();
            emit(&writer, 1).await;
            (longest, count) = (longest.max(started.elapsed()), count + 1);
        }
        (longest, count)
    };
    let maintaining = async {
        let mut steps = Vec::new();
        for _ in 0..10 {
            steps.append(&mut stage.maintain().await);
        }
        done.cancel();
        steps
    };
    let ((longest, count), steps) = tokio::join!(writing, maintaining);
    for step in ["postponed outbox", "emptied outbox_1"] {
        assert!(steps.contains(&step.to_owned()), "no {step} in {steps:?}");
    }
    assert!(count > 10, "only {count} writes got through");
    // The transactions are open still: whoever waited for them would wait for ever.
    assert!(longest < 10 * LOCK_TIMEOUT, "a writer waited for {longest:?}");
    assert_eq!(stage.expired_through().await, 100);

    old.batch_execute("COMMIT").await.unwrap();
    hot.batch_execute("COMMIT").await.unwrap();
    let last = stage.number("SELECT last_value FROM rowcast.outbox_id_seq").await;
    stage.settle(last).await;
    let steps = stage.maintain_all().await;
    for action in ["dropped outbox_1", "adopted outbox_", "created outbox_default", "indexed outbox_101"] {
        assert!(steps.iter().any(|step| step.starts_with(action)), "no {action} in {steps:?}");
    }
    assert_eq!(stage.ids().await, (101..=last).collect::<Vec<_>>(), "nothing is lost");
}

#[tokio::test]
async fn one_maintains_at_a_time() {
    let stage = Stage::new(100).await;
    let other = stage.db.connect_as(Role::Server).await;
    other.batch_execute("BEGIN; SELECT rowcast.maintain()").await.unwrap();
    assert_eq!(stage.maintain().await, ["skipped outbox"]);
    other.batch_execute("COMMIT").await.unwrap();
    assert_eq!(stage.maintain().await, [""; 0]);
}

#[tokio::test]
async fn a_snapshot_that_is_older_than_the_call_is_refused() {
    let stage = Stage::new(100).await;
    stage.server.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    let error = stage.server.batch_execute("SELECT rowcast.maintain()").await.unwrap_err();
    assert!(error.as_db_error().unwrap().hint().unwrap().contains("READ COMMITTED"), "{error:?}");
}

/// The server does it by itself, as `rowcast_server` and with what the migration grants.
#[tokio::test]
async fn a_server_keeps_house() {
    let stage = Stage::new(100).await;
    stage.emit(250).await;
    stage.age(90, 2).await;
    let server = crate::harness::Server::start_with(&stage.db, &[("ROWCAST_RETENTION", "1d")]).await;
    eventually("the server to make partitions and delete what is old", async || {
        let made = stage.partitions().await.last()?.2 >= 350;
        (made && stage.number("SELECT count(*) FROM rowcast.settings WHERE value = '1 days'").await == 1).then_some(())
    })
    .await;
    server.stop().await;
}
