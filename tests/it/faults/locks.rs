//! Postgres answers, but not now: locks, time-outs, processes that are stopped.

use super::Stage;
use crate::harness::{OwnPostgres, Place, Role, eventually, signal};

/// A lock on the outbox stops writers and readers alike. Clients are told once it takes long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_outbox_is_locked() {
    let stage = Stage::set(2, &[], &[]).await;
    let mut dba = stage.postgres.connect_as(Role::Superuser).await;
    let maintenance = dba.transaction().await.unwrap();
    maintenance.batch_execute("LOCK TABLE rowcast.outbox IN ACCESS EXCLUSIVE MODE").await.unwrap();
    stage.ready(false).await;
    maintenance.rollback().await.unwrap();
    stage.finish(1).await;
}

/// Whatever time-outs the server's role was given, perhaps for the sake of others, are not for its statements.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_statement_timeout_of_the_role() {
    let postgres = OwnPostgres::start(&[]).await;
    let mut dba = postgres.connect_as(Role::Superuser).await;
    dba.batch_execute(
        "ALTER ROLE rowcast_test_server SET statement_timeout = '250ms';
         ALTER ROLE rowcast_test_server SET idle_session_timeout = '250ms'",
    )
    .await
    .unwrap();
    let stage = Stage::open(postgres, 1, &[]).await;
    let maintenance = dba.transaction().await.unwrap();
    // Longer than the role may wait, and not as long as clients are to be told of.
    maintenance.batch_execute("LOCK TABLE rowcast.outbox IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1)").await.unwrap();
    maintenance.rollback().await.unwrap();
    stage.finish(0).await;
}

/// The process that serves the tailer hangs: the question is given up, and asked of another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_is_stopped() {
    let stage = Stage::set(1, &[], &[]).await;
    let dba = stage.postgres.connect_as(Role::Superuser).await;
    // The latest: another connection may have served it before.
    let tailing =
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%One step of the tailer%' AND pid <> pg_backend_pid()
                   ORDER BY query_start DESC LIMIT 1";
    // Now and then it does something else.
    let pid: i32 =
        eventually("the tailer to be seen", async || dba.query_opt(tailing, &[]).await.unwrap().map(|row| row.get(0)))
            .await;
    signal(pid.cast_unsigned(), "STOP");
    stage.followers.recover(1).await;
    signal(pid.cast_unsigned(), "CONT");
    stage.finish(1).await;
}
