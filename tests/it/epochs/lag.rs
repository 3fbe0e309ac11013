//! How far a standby is behind, as the health of the database has it: seen from the primary, and from the standby itself.

use rowcast::postgres::{
    Database,
    health::{Figures, Session},
};

use super::pair::Pair;
use crate::harness::eventually;

async fn measure(url: &str) -> Figures {
    let session = Session::open(&Database::new(url, 1).unwrap()).await.unwrap();
    session.ask().await.unwrap();
    let figures = session.measure().await.unwrap();
    session.close().await;
    figures
}

async fn lags(pair: &Pair) -> [f64; 2] {
    // WAL that the standby can tell something about.
    pair.on_primary
        .batch_execute("CREATE TABLE IF NOT EXISTS beats (); INSERT INTO beats DEFAULT VALUES")
        .await
        .unwrap();
    let (primary, standby) = (measure(&pair.primary_url()).await, measure(&pair.standby_url()).await);
    [primary, standby].map(|figures| figures.replication_lag.expect("there is a standby, and a superuser sees it"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_replays_nothing_is_behind_and_one_that_has_everything_is_not() {
    let mut pair = Pair::start().await;
    pair.in_step().await;
    eventually("the standby to be in step", async || lags(&pair).await.iter().all(|lag| *lag < 1.0).then_some(()))
        .await;
    pair.on_standby.batch_execute("SELECT pg_wal_replay_pause()").await.unwrap();
    eventually("it to be seen behind", async || lags(&pair).await.iter().all(|lag| *lag > 1.5).then_some(())).await;
    pair.on_standby.batch_execute("SELECT pg_wal_replay_resume()").await.unwrap();
    eventually("it to have caught up", async || lags(&pair).await.iter().all(|lag| *lag < 1.0).then_some(())).await;
    pair.stop_primary().await;
    pair.stop().await;
}
