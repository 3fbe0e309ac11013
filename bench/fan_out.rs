//! Fan-out, saturated: everybody gets every event, and the next ones are published as soon as the slowest client is not too far behind.

use std::{
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use crate::{
    figures::{Figure, Figures, Goal, median},
    peers::{Peer, lower_bound::LowerBound, nchan::Nchan, rowcast::Rowcast},
    postgres::Postgres,
};

/// How many clients, for how long, and what is to be reached.
pub(crate) struct Plan {
    sizes: &'static [Size],
    warm_up: Duration,
    measured: Duration,
    with_lower_bound: bool,
}

struct Size {
    clients: usize,
    deliveries: Goal,
    processor_time: Goal,
}

const THOUSAND: Size =
    Size { clients: 1_000, deliveries: Goal::AtLeastTimes(5.0), processor_time: Goal::AtMostTimes(0.2) };

/// As in the table.
pub(crate) const WHOLE: Plan = Plan {
    sizes: &[
        Size { clients: 100, deliveries: Goal::None, processor_time: Goal::None },
        THOUSAND,
        Size { clients: 9_000, deliveries: Goal::AtLeastTimes(3.0), processor_time: Goal::None },
    ],
    warm_up: Duration::from_millis(500),
    measured: Duration::from_millis(1_500),
    with_lower_bound: true,
};

/// In a few seconds.
pub(crate) const QUICK: Plan = Plan {
    sizes: &[THOUSAND],
    warm_up: Duration::from_millis(500),
    measured: Duration::from_secs(2),
    with_lower_bound: false,
};

/// How far the slowest client may be behind, and how much is published at once.
const WINDOW: u64 = 128;
const BURST: u64 = 16;

/// What one peer did in one round.
struct Round {
    deliveries: f64,
    processor_time: f64,
}

/// Measures all of them, in turns.
pub(crate) fn measure(figures: &mut Figures, plan: &Plan, rounds: usize) {
    let most = plan.sizes.iter().map(|size| size.clients).max().unwrap_or_default();
    let postgres = Postgres::start(&[]);
    let (mut rowcast, mut nchan) = (Rowcast::start(&postgres, most, 1), Nchan::start());
    let (mut bare, mut batched) = (LowerBound::start(false), LowerBound::start(true));
    let mut peers: Vec<&mut dyn Peer> = vec![&mut rowcast, &mut nchan];
    if plan.with_lower_bound {
        peers.extend([&mut bare as &mut dyn Peer, &mut batched]);
    }
    for size in plan.sizes {
        let mut rounds_of: Vec<Vec<Round>> = peers.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (peer, rounds) in peers.iter_mut().zip(&mut rounds_of) {
                rounds.push(round(&mut **peer, size.clients, plan));
            }
        }
        let names: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
        add(figures, size, &names, &rounds_of);
    }
}

fn round(peer: &mut dyn Peer, clients: usize, plan: &Plan) -> Round {
    let load = peer.connect(clients);
    let mut published = 1;
    let mut publish_until = |deadline: Instant| {
        while Instant::now() < deadline {
            if published < load.board.slowest.load(Ordering::Acquire) + WINDOW {
                peer.publish(published..published + BURST);
                published += BURST;
            } else {
                thread::sleep(Duration::from_micros(200));
            }
        }
        (load.board.deliveries.load(Ordering::Acquire), peer.process().processor_time(), Instant::now())
    };
    let (before, processor_before, begun) = publish_until(Instant::now() + plan.warm_up);
    let (after, processor_after, ended) = publish_until(Instant::now() + plan.measured);
    load.wait_for(published - 1);
    load.close();
    #[expect(clippy::cast_precision_loss, reason = "a few millions")]
    let deliveries = (after - before) as f64;
    let micros = processor_after.saturating_sub(processor_before).as_secs_f64() * 1e6;
    Round { deliveries: deliveries / (ended - begun).as_secs_f64(), processor_time: micros / deliveries }
}

fn add(figures: &mut Figures, size: &Size, names: &[&str], rounds: &[Vec<Round>]) {
    let clients = size.clients;
    for (name, theirs) in names.iter().zip(rounds).skip(1) {
        let is_goal = *name == "Nchan";
        let of = |rounds: &[Round], figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<f64>>();
        let figure = |what: &str, unit, figure: fn(&Round) -> f64, goal| Figure {
            what: format!("{what}, {clients} clients"),
            unit,
            ours: of(&rounds[0], figure),
            peer: Some(((*name).to_owned(), of(theirs, figure))),
            goal: if is_goal { goal } else { Goal::None },
        };
        figures.add(figure("fan-out", "deliveries/s", |round| round.deliveries, size.deliveries));
        figures.add(figure("fan-out", "µs CPU per delivery", |round| round.processor_time, size.processor_time));
    }
    let ours: Vec<f64> = rounds[0].iter().map(|round| round.deliveries).collect();
    println!("fan-out with {clients} clients: {:.0} deliveries/s", median(&ours));
}
