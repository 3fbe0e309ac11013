//! The network between the servers and Postgres.

use std::time::Duration;

use super::Stage;
use crate::harness::proxy::Direction;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_network_delays_and_breaks_nothing() {
    let stage = Stage::set(2, &[], &[]).await;
    stage.network().delay(Duration::from_millis(30));
    stage.finish(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_reset() {
    let stage = Stage::set(2, &[], &[]).await;
    stage.network().refuse();
    stage.network().cut();
    stage.ready(false).await;
    stage.network().heal();
    stage.finish(1).await;
}

/// Nothing closes and nothing answers. What is asked has a deadline of the client's own: Postgres' would not be heard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_black_hole() {
    let stage = Stage::set(1, &[], &[]).await;
    stage.network().blackhole();
    stage.ready(false).await;
    stage.network().heal();
    stage.finish(1).await;
}

/// Questions arrive, and answers do not, for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_do_not_come() {
    let stage = Stage::set(1, &[], &[]).await;
    stage.network().stall(Direction::Down);
    stage.ready(false).await;
    stage.network().heal();
    stage.finish(1).await;
}

/// A connection of which Postgres believes that its client has gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_half_closed() {
    let stage = Stage::set(1, &[], &[]).await;
    stage.network().half_close(Direction::Up);
    stage.finish(1).await;
}
