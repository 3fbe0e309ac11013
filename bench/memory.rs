//! Memory: what a stream costs on which nothing happens, when all have just come, and after all have gone and come back ten times.

use std::{thread, time::Duration};

use crate::{
    figures::{Figure, Figures, Goal},
    peers::{Peer, nchan::Nchan, rowcast::Rowcast},
    postgres::Postgres,
};

/// How many clients, and how often they come back.
pub(crate) struct Plan {
    clients: usize,
    returns: usize,
}

/// As in the table.
pub(crate) const WHOLE: Plan = Plan { clients: 9_000, returns: 10 };

/// In a few seconds.
pub(crate) const QUICK: Plan = Plan { clients: 3_000, returns: 3 };

/// What the allocator has until it gives back what is not used.
const SETTLE: Duration = Duration::from_secs(3);

/// Measures both, in turns.
pub(crate) fn measure(figures: &mut Figures, plan: &Plan, rounds: usize) {
    let mut rounds_of: [Vec<(f64, f64)>; 2] = Default::default();
    for _ in 0..rounds {
        let postgres = Postgres::start(&[]);
        rounds_of[0].push(round(&Rowcast::start(&postgres, plan.clients, 1), plan));
        rounds_of[1].push(round(&Nchan::start(), plan));
    }
    let [ours, theirs] = &rounds_of;
    let mut add = |what: String, of: fn(&(f64, f64)) -> f64, goal| {
        figures.add(Figure {
            what,
            unit: "KB per idle stream",
            ours: ours.iter().map(of).collect(),
            peer: Some(("Nchan".to_owned(), theirs.iter().map(of).collect())),
            goal,
        });
    };
    add(format!("{} streams, fresh", plan.clients), |round| round.0, Goal::AtMost(10.0));
    add(format!("{} streams, back {} times", plan.clients, plan.returns), |round| round.1, Goal::AtMost(12.0));
}

fn round(peer: &dyn Peer, plan: &Plan) -> (f64, f64) {
    // What there is once, whoever comes.
    peer.connect(1).close();
    thread::sleep(SETTLE);
    let before = peer.process().memory();
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let each = || (peer.process().memory() - before) as f64 / 1_000.0 / plan.clients as f64;
    let load = peer.connect(plan.clients);
    thread::sleep(SETTLE);
    let fresh = each();
    load.close();
    for _ in 1..plan.returns {
        peer.connect(plan.clients).close();
    }
    let load = peer.connect(plan.clients);
    thread::sleep(SETTLE);
    let returned = each();
    load.close();
    (fresh, returned)
}
