//! Everybody comes back at once: a server restarts, and thousands of clients, each of another user and somewhere in the past, want what they missed.

use std::time::{Duration, Instant};

use crate::{
    figures::{Figure, Figures, Goal},
    load::{Load, PATIENCE},
    peers::{
        Peer,
        rowcast::{Item, Rowcast, request_after},
    },
    postgres::Postgres,
};

const CLIENTS: usize = 5_000;
const ORGANIZATIONS: usize = 500;

/// Less than a server looks back at its start.
const EVENTS: usize = 9_000;
const EVENTS_EACH: usize = EVENTS / ORGANIZATIONS;

/// Measures it, with a restart for each round.
pub(crate) fn measure(figures: &mut Figures, rounds: usize) {
    let postgres = Postgres::start(&[]);
    let mut rowcast = Rowcast::start(&postgres, CLIENTS, ORGANIZATIONS);
    write(&rowcast);
    let (mut took, mut scans, mut queries) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        rowcast.stop();
        rowcast.restart();
        took.push(storm(&rowcast).as_secs_f64());
        scans.push(rowcast.figure("rowcast_outbox_scans_total"));
        queries.push(rowcast.figure("rowcast_grant_queries_total"));
    }
    let mut add = |what: &str, unit, ours, goal| {
        figures.add(Figure {
            what: format!("{CLIENTS} clients after a restart, {what}"),
            unit,
            ours,
            peer: None,
            goal,
        });
    };
    add("until all have caught up", "s", took, Goal::AtMost(5.0));
    add("history read from the outbox", "pages", scans, Goal::AtMost(10.0));
    add("grants read", "queries", queries, Goal::None);
}

/// Writes the events, by turns for each organization, with ids from 1 on, and returns when the server has stored that it has seen them.
fn write(rowcast: &Rowcast<'_>) {
    let number = |n: usize| u64::try_from(n).unwrap();
    let items: Vec<Item> = (0..EVENTS)
        .map(|event| Item {
            k: number(event),
            n: number(event / ORGANIZATIONS + 1),
            organization: event % ORGANIZATIONS,
        })
        .collect();
    let runtime = &rowcast.postgres.runtime;
    runtime.block_on(rowcast.writer(0).write(&items));
    let client = rowcast.postgres.connect();
    let out_of_turn = "SELECT count(*) FROM rowcast.outbox WHERE id <> (data ->> 'k')::bigint + 1";
    let count: i64 = runtime.block_on(client.query_one(out_of_turn, &[])).unwrap().get(0);
    assert_eq!(count, 0, "events whose ids are not their turn");
}

/// How long it takes until the last of them has caught up. That each of them gets what it lacks, and nothing else, is for the numbers of the events to show: none is left out and
/// none comes twice, and together they are as many as are lacking.
fn storm(rowcast: &Rowcast<'_>) -> Duration {
    let mut lacking = 0;
    let clients: Vec<(String, u64)> = (0..CLIENTS)
        .map(|client| {
            let after = fastrand::usize(0..=EVENTS - ORGANIZATIONS);
            let had = (0..after).filter(|event| event % ORGANIZATIONS == client % ORGANIZATIONS).count();
            lacking += u64::try_from(EVENTS_EACH - had).unwrap();
            (request_after(&format!("user{client}"), i64::try_from(after).unwrap()), u64::try_from(had).unwrap())
        })
        .collect();
    let started = Instant::now();
    let load = Load::open_after(rowcast.address(), clients.iter().map(|(request, had)| (&**request, *had)));
    load.wait_for_all(lacking);
    let took = started.elapsed();
    assert!(took < PATIENCE);
    let seen = load.close();
    assert_eq!(seen.deliveries, lacking, "events that were told");
    took
}
