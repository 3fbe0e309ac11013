//! Commit → client: how long from when a row was to be committed until a client has read it, on an idle system and beside 1,000 commits a second.
//!
//! Every row has a moment at which it is due, whatever became of those before it, and waiting is counted from that moment: a stall counts for everything
//! that was due meanwhile ("coordinated omission", as Gil Tene calls what happens otherwise). The commit itself is part of it.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use hdrhistogram::Histogram;
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, NoTls};

use crate::{
    figures::{Figure, Figures, Goal},
    load::{Board, WRITERS},
    peers::{
        Peer,
        rowcast::{Item, Rowcast},
    },
    postgres::Postgres,
};

const SIZES: [usize; 3] = [1, 100, 1_000];

/// Time between two rows of an idle system, so long that everybody has gone back to sleep; and how many are measured.
const IDLE: (Duration, u64) = (Duration::from_millis(25), 150);
/// The same under load.
const BUSY: (Duration, u64) = (Duration::from_millis(1), 4_000);

/// Latencies in one round, in milliseconds.
type Quantiles = [f64; 3];
const QUANTILES: [(&str, f64); 3] = [("ms p50", 0.5), ("ms p99", 0.99), ("ms p99.9", 0.999)];

/// Measures every size in every state, in turns; for one client beside a bare LISTEN.
pub(crate) fn measure(figures: &mut Figures, rounds: usize) {
    let postgres = Postgres::start(&[]);
    let rowcast = Rowcast::start(&postgres, SIZES[2], 1);
    let mut bare: Vec<Quantiles> = Vec::new();
    let mut ours: Vec<(String, Vec<Quantiles>)> = Vec::new();
    for round in 0..rounds {
        bare.push(notify(&postgres));
        let states = SIZES.iter().flat_map(|&clients| [("idle", clients, IDLE), ("1,000 commits/s", clients, BUSY)]);
        for (at, (state, clients, (interval, count))) in states.enumerate() {
            let quantiles = stream_rows(&rowcast, clients, interval, count);
            if round == 0 {
                ours.push((format!("commit → client, {state}, {clients} clients"), Vec::new()));
            }
            ours[at].1.push(quantiles);
        }
    }
    for (at, (what, rounds)) in ours.iter().enumerate() {
        for (quantile, (unit, _)) in QUANTILES.iter().enumerate() {
            let of = |rounds: &[Quantiles]| rounds.iter().map(|round| round[quantile]).collect::<Vec<f64>>();
            let goal = match (at, quantile) {
                (0, 0) => Goal::AtMost(2.0),
                (0, 1) => Goal::AtMost(5.0),
                _ => Goal::None,
            };
            let peer = (at == 0).then(|| ("bare NOTIFY".to_owned(), of(&bare)));
            figures.add(Figure { what: what.clone(), unit, ours: of(rounds), peer, goal });
        }
    }
}

fn stream_rows(rowcast: &Rowcast<'_>, clients: usize, interval: Duration, count: u64) -> Quantiles {
    let load = rowcast.connect(clients);
    let warm_up = count / 10;
    let mut writers = Vec::new();
    for w in 0..u32::try_from(WRITERS).unwrap() {
        let (sender, mut due) = mpsc::unbounded_channel::<Item>();
        let writer = rowcast.writer(w);
        let writing = rowcast.postgres.runtime.spawn(async move {
            while let Some(item) = due.recv().await {
                writer.write(&[item]).await;
            }
        });
        writers.push((sender, writing, 0));
    }
    let count_of = writers.len() as u64;
    at_their_time(&load.board, interval, warm_up + count, |k| {
        if k == warm_up + 1 {
            load.board.recording.store(true, Ordering::Release);
        }
        let (sender, _, n) = &mut writers[usize::try_from(k % count_of).unwrap()];
        *n += 1;
        sender.send(Item { k, n: *n, organization: 0 }).unwrap();
    });
    for (sender, writing, _) in writers {
        drop(sender);
        rowcast.postgres.runtime.block_on(writing).unwrap();
    }
    load.wait_for(warm_up + count);
    quantiles(&load.close().latencies)
}

/// Calls `write` for each row when it is due: at even distances, each a little off, or they would march in step with somebody's timer.
fn at_their_time(board: &Board, interval: Duration, count: u64, mut write: impl FnMut(u64)) {
    let begun = Instant::now();
    for k in 1..=count {
        let due = begun + interval.mul_f64(f64::from(u32::try_from(k).unwrap()) + fastrand::f64() / 2.0);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        board.publish(k, due);
        write(k);
    }
}

/// A NOTIFY, and somebody who listens: what Postgres takes by itself.
fn notify(postgres: &Postgres) -> Quantiles {
    let sender = postgres.connect();
    let (heard, notifications) = std::sync::mpsc::channel();
    let listener = postgres.runtime.block_on(async {
        let (client, mut connection) = tokio_postgres::connect(&postgres.url, NoTls).await.unwrap();
        let messages = stream::poll_fn(move |context| connection.poll_message(context));
        tokio::spawn(messages.for_each(move |message| {
            if matches!(message, Ok(AsyncMessage::Notification(_))) {
                heard.send(Instant::now()).unwrap();
            }
            std::future::ready(())
        }));
        client.batch_execute("LISTEN bench").await.unwrap();
        Arc::new(client)
    });
    let mut latencies = Histogram::new(3).unwrap();
    for _ in 0..IDLE.1 {
        thread::sleep(IDLE.0.mul_f64(1.0 + fastrand::f64() / 2.0));
        let sent = Instant::now();
        postgres.runtime.block_on(sender.batch_execute("NOTIFY bench")).unwrap();
        let latency = notifications.recv().unwrap() - sent;
        latencies.record(u64::try_from(latency.as_micros()).unwrap()).unwrap();
    }
    drop(listener);
    quantiles(&latencies)
}

#[expect(clippy::cast_precision_loss, reason = "some seconds")]
fn quantiles(latencies: &Histogram<u64>) -> Quantiles {
    QUANTILES.map(|(_, quantile)| latencies.value_at_quantile(quantile) as f64 / 1_000.0)
}
