//! The soak: everything that the other tests do one at a time, all at once and at random, for as long as one likes.
//!
//! Two servers on one Postgres; a network that breaks between Postgres and servers, and between servers and clients; writers that commit, roll back, load in
//! bulk and dawdle; users whose access changes; clients that come and go, stream and poll, and read slowly. In the end the outbox is the oracle: every client
//! must have had every event that it may see, once, each row's in order, and none that it may not.
//!
//! `make soak` runs it for ten minutes; `cargo test` for one. Settings:
//! - `ROWCAST_SOAK_SECONDS`: how long things go wrong. The verdict comes a little later.
//! - `ROWCAST_SOAK_SEED`: the choices of another run. Every actor draws from a stream of its own, so that when something happens does not
//!   change what.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and tells what it has seen"
)]

mod access;
mod choices;
mod clients;
mod faults;
#[path = "../it/harness/mod.rs"]
mod harness;
mod seen;
mod verdict;
mod world;
mod writers;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use self::{
    clients::Client,
    faults::{Chronicle, Machines},
    harness::{Place, Role, proxy::Proxy},
    verdict::{Tally, Verdict},
    world::{Ledger, Outbox, VIEWERS},
};

/// Without `ROWCAST_SOAK_SECONDS`.
const SECONDS: u64 = 60;

/// How often it says how it is going.
const REPORT: Duration = Duration::from_secs(30);

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_whatever_breaks() {
    let duration = Duration::from_secs(setting("ROWCAST_SOAK_SECONDS").unwrap_or(SECONDS));
    let seed = setting("ROWCAST_SOAK_SEED").unwrap_or_else(|| u64::from(fastrand::u32(..)));
    println!("soaking for {duration:?}, ROWCAST_SOAK_SEED={seed}");
    tokio::select! {
        verdict = soak(duration, seed) => {
            println!("{verdict}\nROWCAST_SOAK_SEED={seed}");
            verdict.check(duration);
        }
        // Everything that was started ends with what is dropped here.
        interrupted = tokio::signal::ctrl_c() => panic!("interrupted ({interrupted:?}), ROWCAST_SOAK_SEED={seed}"),
    }
}

async fn soak(duration: Duration, seed: u64) -> Verdict {
    let chronicle = Arc::new(Chronicle::begin());
    let machines = Machines::start(Arc::clone(&chronicle)).await;
    let ledger = Arc::new(Ledger::default());
    let ways = machines.ways_for_clients().await;
    let urls: Vec<String> = ways.iter().map(|way| format!("http://{}", way.address())).collect();

    let outbox = watch::Sender::default();
    let mut clients = JoinSet::new();
    for (number, viewer) in VIEWERS.iter().enumerate() {
        let client = Client::new(viewer, number as u64, seed, urls.clone(), Arc::clone(&ledger));
        clients.spawn(client.run(outbox.subscribe()));
    }
    let stop = watch::Sender::new(false);
    let postgres = machines.urls();
    let writers = writers::start(&postgres, seed, &stop);
    let access = tokio::spawn(access::change(postgres.clone(), seed, Arc::clone(&ledger), stop.subscribe()));
    let nuisances =
        tokio::spawn(faults::nuisances(postgres.clone(), ways, seed, Arc::clone(&chronicle), stop.subscribe()));
    let end = async {
        report_until(Instant::now() + duration, &chronicle).await;
        stop.send_replace(true);
    };
    let ((), machines) = tokio::join!(end, faults::disasters(machines, seed, stop.subscribe()));
    let ways = ended(nuisances).await;
    let access_changes = ended(access).await;
    let written = writers.join_all().await.into_iter().sum();
    ways.iter().for_each(Proxy::heal);

    let last = world::finale(&postgres, &ledger).await;
    let reader = postgres.connect_as(Role::Owner).await;
    let oracle = Arc::new(Outbox::read(&reader, last).await);
    outbox.send_replace(Some(Arc::clone(&oracle)));
    let tallies: Vec<Tally> = clients.join_all().await;
    machines.stop().await;
    Verdict {
        written,
        access_changes,
        events: oracle.len(),
        faults: chronicle.counts(),
        never_worked: chronicle.never_worked(),
        tallies,
        history: chronicle.history(),
    }
}

async fn ended<T>(actor: JoinHandle<T>) -> T {
    match actor.await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

async fn report_until(end: Instant, chronicle: &Chronicle) {
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        tokio::time::sleep(left.min(REPORT)).await;
        let faults: u64 = chronicle.counts().values().sum();
        println!("{:>4.0?} s: {faults} faults so far", chronicle.elapsed().as_secs());
    }
}
