//! What happens beside the disasters: networks between clients and servers, locks, long transactions, bulk loads, maintenance.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::{Chronicle, Urls, try_connect};
use crate::{
    choices::{Choices, milliseconds},
    harness::{
        Place, Role,
        proxy::{Direction, Proxy},
    },
    world::{ORGANIZATIONS, TABLES},
};

#[derive(Clone, Copy, Debug)]
enum Nuisance {
    /// Between the clients and a server.
    Cut,
    Delayed,
    Throttled,
    Silent,
    Stalled,
    HalfClosed,
    Refused,
    /// Nobody can read or write the outbox.
    OutboxLocked,
    /// A transaction that has written events, and ends late.
    LongWrite,
    /// A transaction that writes none of ours, here or in another database.
    LongForeign,
    BulkLoad,
    Maintenance,
}

const ALL: [Nuisance; 12] = [
    Nuisance::Cut,
    Nuisance::Delayed,
    Nuisance::Throttled,
    Nuisance::Silent,
    Nuisance::Stalled,
    Nuisance::HalfClosed,
    Nuisance::Refused,
    Nuisance::OutboxLocked,
    Nuisance::LongWrite,
    Nuisance::LongForeign,
    Nuisance::BulkLoad,
    Nuisance::Maintenance,
];

impl Nuisance {
    fn name(self) -> &'static str {
        match self {
            Self::Cut => "clients' connections cut",
            Self::Delayed => "clients' way slow",
            Self::Throttled => "clients' way narrow",
            Self::Silent => "clients' way silent",
            Self::Stalled => "clients' way stalled",
            Self::HalfClosed => "clients' connections half closed",
            Self::Refused => "clients refused",
            Self::OutboxLocked => "outbox locked",
            Self::LongWrite => "long transaction of a writer",
            Self::LongForeign => "long transaction of somebody else",
            Self::BulkLoad => "bulk load",
            Self::Maintenance => "maintenance",
        }
    }
}

/// Until told to stop. `ways` are those of the clients.
pub(crate) async fn nuisances(
    urls: Urls,
    ways: Vec<Proxy>,
    seed: u64,
    chronicle: Arc<Chronicle>,
    stop: watch::Receiver<bool>,
) -> Vec<Proxy> {
    let mut choices = Choices::of(seed, "nuisances", 0);
    let mut in_the_database = JoinSet::new();
    while !*stop.borrow() {
        let mut draw = choices.step();
        sleep(milliseconds(&mut draw, 100..1_500)).await;
        let nuisance = ALL[draw.usize(..ALL.len())];
        let (number, lasting) = (draw.usize(..ways.len()), milliseconds(&mut draw, 50..4_000));
        chronicle.note(nuisance.name(), format!("server {number}, {lasting:?}"));
        let way = &ways[number];
        let direction = if draw.bool() { Direction::Up } else { Direction::Down };
        match nuisance {
            Nuisance::Cut => way.cut(),
            Nuisance::HalfClosed => way.half_close(direction),
            Nuisance::Delayed => way.delay(lasting / 20),
            Nuisance::Throttled => way.throttle(draw.u32(2_000..50_000)),
            Nuisance::Silent => way.blackhole(),
            Nuisance::Stalled => way.stall(direction),
            Nuisance::Refused => way.refuse(),
            Nuisance::OutboxLocked
            | Nuisance::LongWrite
            | Nuisance::LongForeign
            | Nuisance::BulkLoad
            | Nuisance::Maintenance => {
                let (urls, stop, chronicle) = (urls.clone(), stop.clone(), Arc::clone(&chronicle));
                in_the_database.spawn(async move {
                    // Postgres may be in the middle of a disaster.
                    if let Err(error) = in_database(nuisance, &urls, lasting, &mut draw, stop).await {
                        chronicle.note_in_vain(nuisance.name(), format!("{error:?}"));
                    }
                });
                continue;
            }
        }
        if !matches!(nuisance, Nuisance::Cut | Nuisance::HalfClosed) {
            sleep(lasting).await;
            way.heal();
        }
    }
    in_the_database.join_all().await;
    ways
}

async fn in_database(
    nuisance: Nuisance,
    urls: &Urls,
    lasting: Duration,
    draw: &mut fastrand::Rng,
    mut stop: watch::Receiver<bool>,
) -> Result<(), tokio_postgres::Error> {
    let (table, _) = TABLES[draw.usize(..TABLES.len())];
    let organization = ORGANIZATIONS[draw.usize(..ORGANIZATIONS.len())];
    let insert = format!("INSERT INTO {table} (organization, version) SELECT $1, 1 FROM generate_series(1, $2::int)");
    let mut wait = async |lasting: Duration| {
        tokio::select! {
            () = sleep(lasting) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    };
    match nuisance {
        Nuisance::OutboxLocked => {
            let mut client = urls.try_connect(Role::Superuser).await?;
            let transaction = client.transaction().await?;
            let lock = "SET LOCAL lock_timeout = '2s'; LOCK TABLE rowcast.outbox IN ACCESS EXCLUSIVE MODE";
            transaction.batch_execute(lock).await?;
            wait(lasting / 2).await;
            transaction.commit().await
        }
        Nuisance::LongWrite => {
            let mut client = urls.try_connect(Role::App).await?;
            let transaction = client.transaction().await?;
            transaction.execute(&insert, &[&organization, &3]).await?;
            wait(lasting * 4).await;
            transaction.execute(&insert, &[&organization, &2]).await?;
            if draw.bool() { transaction.commit().await } else { transaction.rollback().await }
        }
        Nuisance::LongForeign => {
            let url = urls.url_as(Role::Superuser);
            let url = if draw.bool() { url.replacen("///app?", "///postgres?", 1) } else { url };
            let mut client = try_connect(&url).await?;
            let transaction = client.transaction().await?;
            transaction.query_one("SELECT pg_current_xact_id()::text", &[]).await?;
            wait(lasting * 4).await;
            // It has been open all the time that Postgres was there, which a disaster may have ended.
            let _ = transaction.rollback().await;
            Ok(())
        }
        Nuisance::BulkLoad => {
            let client = urls.try_connect(Role::App).await?;
            client.execute(&insert, &[&organization, &draw.i32(500..4_000)]).await.map(drop)
        }
        _ => {
            let client = urls.try_connect(Role::Owner).await?;
            client.batch_execute("SELECT rowcast.maintain()").await
        }
    }
}
