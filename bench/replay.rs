//! Tail and replay: rows per second from the outbox to a socket, for a client that comes back from long ago, for a member of one of many organizations, and for one
//! that listens while a bulk load commits.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::TryStreamExt;

use crate::{
    figures::{Figure, Figures, Goal},
    load::Load,
    peers::{
        Peer,
        rowcast::{Rowcast, request_after},
    },
    postgres::Postgres,
};

/// Rows of history, in ids that begin within the first partition and end within the second: one is closed and indexed, and one is not.
const ROWS: u64 = 1_000_000;
const FIRST: i64 = 500_001;

/// Of so many rows one belongs to the organization of which little is to be seen; the others are spread over as many.
const ORGANIZATIONS: u64 = 1_000;

/// Rows written at once while the outbox is filled.
const FILL: u64 = 250_000;

/// Rows of the bulk load.
const BULK: u64 = 200_000;

const USERS: &str = "INSERT INTO rowcast.memberships (user_id, organization_id, role) VALUES ('staff', NULL, 'member'), ('rare', 'rare', 'member')";

/// As the trigger of the benchmarks' table writes them, but all at once.
const LOAD: &str = "
    INSERT INTO rowcast.outbox (id, event_type, audience, organization_id, source, source_key, operation, data)
    SELECT nextval('rowcast.outbox_id_seq'), 'document_processing', 'organization',
           CASE WHEN i % $3 = 0 THEN 'rare' ELSE 'o' || i % $3 END, 'public.items', i::text, 'INSERT',
           jsonb_build_object('k', i, 'n', CASE WHEN i % $3 = 0 THEN i / $3 ELSE i - i / $3 END, 'w', (i % $3 = 0)::int, 'pad', 'abcdefghijklmnopqrst')
    FROM generate_series($1::bigint, $2::bigint) i";

const COPY: &str = "COPY (SELECT * FROM rowcast.outbox ORDER BY id) TO STDOUT";

/// In one transaction, that has yet to commit.
const BULK_LOAD: &str = "
    BEGIN;
    INSERT INTO public.items (k, n, w, organization_id, pad) SELECT i, i, 0, 'o0', 'abcdefghijklmnopqrst' FROM generate_series(1, 200000) i";

/// Measures replay beside COPY, in turns, and then the tailer.
pub(crate) fn measure(figures: &mut Figures, rounds: usize) {
    let postgres = Postgres::start(&[("max_wal_size", "8GB"), ("shared_buffers", "1GB")]);
    fill(&postgres);
    let mut rowcast = Rowcast::start(&postgres, 1, 1);
    postgres.runtime.block_on(postgres.connect().batch_execute(USERS)).unwrap();
    let mut replayed = Rounds::default();
    for _ in 0..rounds {
        replayed.copied.push(per_second(ROWS, copy(&postgres)));
        let (took, memory) = replay(&rowcast, "staff", ROWS);
        replayed.replayed.push(per_second(ROWS, took));
        replayed.memory.push(memory);
        replayed.sparse.push(replay(&rowcast, "rare", ROWS / ORGANIZATIONS).0.as_secs_f64() * 1e3);
    }
    let tailed = (0..rounds).map(|_| per_second(BULK, tail(&mut rowcast))).collect();
    let mut add = |what: &str, unit, ours, peer: Option<Vec<f64>>, goal| {
        figures.add(Figure {
            what: what.to_owned(),
            unit,
            ours,
            peer: peer.map(|theirs| ("COPY".to_owned(), theirs)),
            goal,
        });
    };
    add("replay of 1,000,000 rows", "events/s", replayed.replayed, Some(replayed.copied), Goal::AtLeast(200_000.0));
    add("server's memory at most, beyond that before", "MB", replayed.memory, None, Goal::AtMost(16.0));
    add("replay of 1,000 events among 1,000,000", "ms", replayed.sparse, None, Goal::None);
    add("bulk load of 200,000 rows, from its commit", "events/s", tailed, None, Goal::None);
}

#[derive(Default)]
struct Rounds {
    replayed: Vec<f64>,
    copied: Vec<f64>,
    memory: Vec<f64>,
    sparse: Vec<f64>,
}

/// With the maintenance that a server would have seen to meanwhile.
fn fill(postgres: &Postgres) {
    let client = postgres.connect();
    postgres.runtime.block_on(async {
        client.execute("SELECT setval('rowcast.outbox_id_seq', $1, false)", &[&FIRST]).await.unwrap();
        for first in (1..=ROWS).step_by(usize::try_from(FILL).unwrap()) {
            let [first, last, organizations] =
                [first, first + FILL - 1, ORGANIZATIONS].map(|number| i64::try_from(number).unwrap());
            client.execute(LOAD, &[&first, &last, &organizations]).await.unwrap();
            let settle = "UPDATE rowcast.settled SET undecided = int8multirange(int8range((SELECT last_value + 1 FROM rowcast.outbox_id_seq), NULL))";
            client.execute(settle, &[]).await.unwrap();
            let maintain = "SELECT FROM rowcast.maintain() WHERE action <> 'postponed'";
            while !client.query(maintain, &[]).await.unwrap().is_empty() {}
        }
        client.batch_execute("VACUUM ANALYZE rowcast.outbox").await.unwrap();
    });
}

/// How long the same rows take without a server.
fn copy(postgres: &Postgres) -> Duration {
    let client = postgres.connect();
    let started = Instant::now();
    let rows = postgres.runtime.block_on(async {
        let mut rows = pin!(client.copy_out(COPY).await.unwrap());
        let mut count = 0;
        while rows.try_next().await.unwrap().is_some() {
            count += 1;
        }
        count
    });
    assert!(rows >= ROWS, "{rows} rows were copied");
    started.elapsed()
}

/// How long it takes until so many events have come to who has seen nothing, and how many megabytes more the server had for it at most.
fn replay(rowcast: &Rowcast<'_>, user: &str, events: u64) -> (Duration, f64) {
    let before = rowcast.process().memory();
    rowcast.process().forget_peak();
    let request = request_after(user, 0);
    let started = Instant::now();
    let load = Load::open(rowcast.address(), &[request]);
    load.wait_for(events);
    let took = started.elapsed();
    let peak = rowcast.process().peak_memory();
    load.close();
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let more = peak.saturating_sub(before) as f64 / 1e6;
    (took, more)
}

/// How long it takes from the commit of a bulk load until a client that listens has all of it.
fn tail(rowcast: &mut Rowcast<'_>) -> Duration {
    let load = rowcast.connect(1);
    let writer = rowcast.postgres.connect();
    let runtime = &rowcast.postgres.runtime;
    runtime.block_on(writer.batch_execute(BULK_LOAD)).unwrap();
    let started = Instant::now();
    runtime.block_on(writer.batch_execute("COMMIT")).unwrap();
    load.wait_for(BULK);
    let took = started.elapsed();
    load.close();
    took
}

#[expect(clippy::cast_precision_loss, reason = "a million")]
fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
