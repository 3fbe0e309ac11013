//! Fan-out, paced: 50 events a second to 1,000 clients, as a busy day has them. How long does a client wait?

use std::{
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use crate::{
    figures::{Figure, Figures, Goal},
    load::Seen,
    peers::{Peer, lower_bound::LowerBound, nchan::Nchan, rowcast::Rowcast},
    postgres::Postgres,
};

const CLIENTS: usize = 1_000;
const INTERVAL: Duration = Duration::from_millis(20);
const WARM_UP: u64 = 50;
const MEASURED: u64 = 250;

/// What one peer did in one round.
struct Round {
    seen: Seen,
    processor_time: f64,
}

/// Measures all of them, in turns.
pub(crate) fn measure(figures: &mut Figures, rounds: usize) {
    let postgres = Postgres::start(&[]);
    let (mut rowcast, mut nchan, mut bare) =
        (Rowcast::start(&postgres, CLIENTS, 1), Nchan::start(), LowerBound::start(false));
    let mut peers: [&mut dyn Peer; 3] = [&mut rowcast, &mut nchan, &mut bare];
    let mut rounds_of: [Vec<Round>; 3] = Default::default();
    for _ in 0..rounds {
        for (peer, rounds) in peers.iter_mut().zip(&mut rounds_of) {
            rounds.push(round(&mut **peer));
        }
    }
    for (peer, theirs) in peers.iter().zip(&rounds_of).skip(1) {
        let goal = if peer.name() == "Nchan" { Goal::AtMostTimes(1.0) } else { Goal::None };
        let mut add = |unit, goal, of: fn(&Round) -> f64| {
            figures.add(Figure {
                what: "paced, 50/s to 1,000 clients".to_owned(),
                unit,
                ours: rounds_of[0].iter().map(of).collect(),
                peer: Some((peer.name().to_owned(), theirs.iter().map(of).collect())),
                goal,
            });
        };
        add("ms p50", goal, |round| milliseconds(&round.seen, 0.5));
        add("ms p99", goal, |round| milliseconds(&round.seen, 0.99));
        add("µs CPU per delivery", Goal::None, |round| round.processor_time);
    }
}

fn round(peer: &mut dyn Peer) -> Round {
    let load = peer.connect(CLIENTS);
    let begun = Instant::now();
    let mut processor_before = Duration::ZERO;
    for n in 1..=WARM_UP + MEASURED {
        let due = begun + INTERVAL * u32::try_from(n).unwrap();
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if n == WARM_UP + 1 {
            load.board.recording.store(true, Ordering::Release);
            processor_before = peer.process().processor_time();
        }
        // Since when it was due: one that is published late because the one before took long has waited, too.
        load.board.publish(n, due);
        peer.publish(n..n + 1);
    }
    load.wait_for(WARM_UP + MEASURED);
    let micros = peer.process().processor_time_since(processor_before).as_secs_f64() * 1e6;
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let processor_time = micros / (MEASURED as f64 * CLIENTS as f64);
    Round { seen: load.close(), processor_time }
}

#[expect(clippy::cast_precision_loss, reason = "some seconds")]
fn milliseconds(seen: &Seen, quantile: f64) -> f64 {
    seen.latencies.value_at_quantile(quantile) as f64 / 1_000.0
}
