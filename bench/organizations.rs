//! Many organizations: 2,000 of them with five clients each, and events spread over them by a Zipf law. What an event costs is to depend on its own audience,
//! not on everybody who is connected: so the same load is put on a server that has few others.

use std::{
    iter, thread,
    time::{Duration, Instant},
};

use crate::{
    figures::{Figure, Figures, Goal},
    peers::{
        Peer,
        rowcast::{Item, Rowcast},
    },
    postgres::Postgres,
};

const CLIENTS_EACH: usize = 5;
const MANY: usize = 2_000;
const FEW: usize = 20;

/// Rows in a transaction, and how often there is one: 1,000 rows a second.
const ROWS: usize = 10;
const INTERVAL: Duration = Duration::from_millis(10);
const TRANSACTIONS: u32 = 500;

/// What an event may cost beside many, in times of what it costs beside few.
const GOAL: Goal = Goal::AtMostTimes(1.5);

/// Measures both, in turns.
pub(crate) fn measure(figures: &mut Figures, rounds: usize) {
    let postgres = Postgres::start(&[]);
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (organizations, costs) in [MANY, FEW].into_iter().zip(&mut costs) {
            let rowcast = Rowcast::start(&postgres, organizations * CLIENTS_EACH, organizations);
            costs.push(round(&rowcast, organizations));
        }
    }
    let [many, few] = costs;
    figures.add(Figure {
        what: format!("{MANY} organizations, beside {FEW}, Zipf, {CLIENTS_EACH} clients each"),
        unit: "µs CPU per event",
        ours: many,
        peer: Some(("itself".to_owned(), few)),
        goal: GOAL,
    });
}

/// Processor time per event, in microseconds.
fn round(rowcast: &Rowcast<'_>, organizations: usize) -> f64 {
    let load = rowcast.connect(organizations * CLIENTS_EACH);
    // Streams that have just begun still have things to do.
    thread::sleep(Duration::from_secs(1));
    let writer = rowcast.writer(0);
    let zipf = Zipf::new(organizations);
    let mut counts = vec![0; organizations];
    let mut k = 0;
    let before = rowcast.process().processor_time();
    let begun = Instant::now();
    for transaction in 1..=TRANSACTIONS {
        thread::sleep((begun + INTERVAL * transaction).saturating_duration_since(Instant::now()));
        let items: Vec<Item> = iter::repeat_with(|| {
            let organization = zipf.draw();
            counts[organization] += 1;
            k += 1;
            Item { k, n: counts[organization], organization }
        })
        .take(ROWS)
        .collect();
        rowcast.postgres.runtime.block_on(writer.write(&items));
    }
    load.wait_for_all(k * CLIENTS_EACH as u64);
    let spent = rowcast.process().processor_time_since(before);
    load.close();
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let events = k as f64;
    spent.as_secs_f64() * 1e6 / events
}

/// Draws numbers from 0 on, each as likely as its place in the order says: the second half as likely as the first, the third a third.
struct Zipf {
    /// How likely it is that the number drawn is this or a lower one.
    up_to: Vec<f64>,
}

impl Zipf {
    fn new(count: usize) -> Self {
        let count = u32::try_from(count).unwrap();
        let all: f64 = (1..=count).map(|place| 1.0 / f64::from(place)).sum();
        let up_to = (1..=count).scan(0.0, |sum, place| {
            *sum += 1.0 / f64::from(place) / all;
            Some(*sum)
        });
        Self { up_to: up_to.collect() }
    }

    fn draw(&self) -> usize {
        let drawn = fastrand::f64();
        self.up_to.partition_point(|&up_to| up_to < drawn).min(self.up_to.len() - 1)
    }
}
