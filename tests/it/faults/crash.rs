//! Postgres ends, in order or not, and comes back.

use super::Stage;
use crate::harness::{Role, Session, Shutdown, signal};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart() {
    let mut stage = Stage::set(2, &[], &[]).await;
    stage.postgres.stop(Shutdown::Fast).await;
    stage.ready(false).await;
    stage.postgres.start_again().await;
    stage.ready(true).await;
    stage.finish(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_immediate_shutdown_and_recovery() {
    let mut stage = Stage::set(1, &[], &[]).await;
    stage.postgres.stop(Shutdown::Immediate).await;
    stage.ready(false).await;
    stage.postgres.start_again().await;
    stage.ready(true).await;
    stage.finish(1).await;
}

/// One process of Postgres dies, and Postgres restarts all of them, since its memory may be damaged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_of_one_backend() {
    let stage = Stage::set(1, &[], &[]).await;
    let victim = Session::open(&stage.postgres, Role::App).await;
    signal(victim.backend, "KILL");
    // It may be over before anybody asks whether the server is ready.
    stage.followers.recover(1).await;
    stage.ready(true).await;
    stage.finish(1).await;
}
