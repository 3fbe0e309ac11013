//! What capturing costs those who write: an app's transactions a second into a table that is attached, while a server listens, beside the same table
//! with a plain second INSERT, with nothing, and with the trigger that everybody writes first.
//!
//! The plain second INSERT is the least that any outbox takes: a statement's trigger in plpgsql that copies the rows of its transition table, as JSON and with all columns that our outbox
//! has, into one table with a key from a sequence. It has no rights, settings or partitions of its own, and wakes nobody.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio_postgres::Client;

use crate::{
    figures::{Figure, Figures, Goal},
    peers::rowcast::Rowcast,
    postgres::Postgres,
};

/// How many write at the same time.
const WRITERS: [usize; 3] = [1, 16, 32];
const ROUND: Duration = Duration::from_millis(1_500);
/// Plans are made anew for the first executions of a statement, and tables are small.
const WARM_UP: Duration = Duration::from_millis(300);
/// Rows of one statement.
const BULK: i64 = 10_000;

/// The app's tables: the first is ours.
const TABLES: [(&str, &str); 4] = [
    ("public.captured", "rowcast"),
    ("public.copied", "a plain second INSERT"),
    ("public.bare", "no trigger"),
    ("public.notified", "a NOTIFY for each row"),
];

/// Tables that are captured in other ways, which cost something for each row.
const OTHER_WAYS: [(&str, &str); 2] = [("public.guarded", "on_error => 'skip'"), ("app.documents", "a preset")];

pub(crate) const SCHEMA: &str = "
    CREATE TABLE public.bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organization_id text NOT NULL, title text NOT NULL,
                              status text NOT NULL, progress integer NOT NULL, updated_at timestamptz NOT NULL DEFAULT clock_timestamp());

    CREATE TABLE public.copied (LIKE public.bare INCLUDING ALL);
    CREATE TABLE public.copies (id bigserial PRIMARY KEY, txid xid8 NOT NULL DEFAULT pg_current_xact_id(), created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                                event_type text NOT NULL, audience text NOT NULL, organization_id text, user_id text, chatbot_id text, session_id text,
                                source text, source_key text, operation text NOT NULL, priority text NOT NULL DEFAULT 'medium', data jsonb NOT NULL);
    CREATE FUNCTION public.copy() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO public.copies (event_type, audience, organization_id, user_id, chatbot_id, session_id, source, source_key, operation, priority, data)
        SELECT 'document_processing', 'organization', n.organization_id, NULL, NULL, NULL, 'public.copied', n.id::text, 'INSERT', 'medium', to_jsonb(n) FROM written AS n;
        RETURN NULL;
    END $$;
    CREATE TRIGGER copy AFTER INSERT ON public.copied REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.copy();

    CREATE TABLE public.notified (LIKE public.bare INCLUDING ALL);
    CREATE FUNCTION public.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('rows', row_to_json(NEW)::text); RETURN NULL; END $$;
    CREATE TRIGGER tell AFTER INSERT ON public.notified FOR EACH ROW EXECUTE FUNCTION public.tell();

    CREATE TABLE public.captured (LIKE public.bare INCLUDING ALL);
    SELECT rowcast.attach('public.captured', 'document_processing', organization_id => 'r.organization_id')";

const OTHER_WAYS_SCHEMA: &str = "
    CREATE TABLE public.guarded (LIKE public.bare INCLUDING ALL);
    SELECT rowcast.attach('public.guarded', 'document_processing', organization_id => 'r.organization_id', on_error => 'skip');
    CREATE SCHEMA app;
    CREATE TABLE app.documents (LIKE public.bare INCLUDING ALL);
    SELECT rowcast.attach_preset('chatbot', 'app', parts => '{documents}')";

/// The columns of a row, but for its table.
pub(crate) const ROW: &str =
    "(organization_id, title, status, progress) SELECT 'o0', 'A title of some length', 'processing', 50";

pub(crate) fn measure(figures: &mut Figures, rounds: usize) {
    let postgres = Postgres::start(&[]);
    let admin = postgres.connect();
    postgres.runtime.block_on(admin.batch_execute(SCHEMA)).unwrap();
    postgres.runtime.block_on(admin.batch_execute(OTHER_WAYS_SCHEMA)).unwrap();
    let _server = Rowcast::start(&postgres, 1, 1);
    let listener = postgres.connect();
    postgres.runtime.block_on(listener.batch_execute("LISTEN rows")).unwrap();

    for writers in WRITERS {
        let clients: Vec<Client> = (0..writers).map(|_| postgres.connect()).collect();
        let clients = Arc::new(clients);
        let mut rates: [Vec<f64>; TABLES.len()] = Default::default();
        for _ in 0..rounds {
            for ((table, _), rates) in TABLES.iter().zip(&mut rates) {
                rates.push(rate(&postgres, &clients, table));
            }
        }
        let goal = if writers == 1 { Goal::None } else { Goal::AtLeastTimes(0.85) };
        let writers = if writers == 1 { "1 writer".to_owned() } else { format!("{writers} writers") };
        let what = format!("capture, {writers}");
        compare(figures, &what, "transactions/s", TABLES.iter().zip(rates), [goal]);
    }

    let tables: Vec<_> = TABLES.iter().chain(&OTHER_WAYS).collect();
    let mut rates = vec![Vec::new(); tables.len()];
    for round in 0..=rounds {
        for ((table, _), rates) in tables.iter().zip(&mut rates) {
            let begun = Instant::now();
            let insert = format!("INSERT INTO {table} {ROW} FROM generate_series(1, {BULK})");
            postgres.runtime.block_on(admin.batch_execute(&insert)).unwrap();
            #[expect(clippy::cast_precision_loss, reason = "some thousands")]
            let rate = BULK as f64 / begun.elapsed().as_secs_f64();
            // The first is for plans.
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    compare(figures, "capture, 10,000 rows in a statement", "rows/s", tables.into_iter().zip(rates), []);
    verify(&postgres, &admin);
}

/// The first beside everybody else, with goals for those next to it.
fn compare<'a>(
    figures: &mut Figures,
    what: &str,
    unit: &'static str,
    rates: impl IntoIterator<Item = (&'a (&'a str, &'a str), Vec<f64>)>,
    goals: impl IntoIterator<Item = Goal>,
) {
    let mut rates = rates.into_iter();
    let (_, ours) = rates.next().unwrap();
    for (((_, name), theirs), goal) in rates.zip(goals.into_iter().chain(std::iter::repeat(Goal::None))) {
        figures.add(Figure {
            what: what.to_owned(),
            unit,
            ours: ours.clone(),
            peer: Some(((*name).to_owned(), theirs)),
            goal,
        });
    }
}

/// Transactions a second of these clients, each of which writes one row and waits for its COMMIT.
fn rate(postgres: &Postgres, clients: &Arc<Vec<Client>>, table: &str) -> f64 {
    let (written, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let insert = format!("INSERT INTO {table} {ROW}");
    let tasks: Vec<_> = (0..clients.len())
        .map(|n| {
            let (clients, written, ended, insert) =
                (Arc::clone(clients), Arc::clone(&written), Arc::clone(&ended), insert.clone());
            postgres.runtime.spawn(async move {
                let statement = clients[n].prepare(&insert).await.unwrap();
                while !ended.load(Ordering::Relaxed) {
                    clients[n].execute(&statement, &[]).await.unwrap();
                    written.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    thread::sleep(WARM_UP);
    let (before, begun) = (written.load(Ordering::Relaxed), Instant::now());
    thread::sleep(ROUND);
    let (after, took) = (written.load(Ordering::Relaxed), begun.elapsed());
    ended.store(true, Ordering::Relaxed);
    for task in tasks {
        postgres.runtime.block_on(task).unwrap();
    }
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let rate = (after - before) as f64 / took.as_secs_f64();
    rate
}

/// Who leaves something out is fast.
fn verify(postgres: &Postgres, admin: &Client) {
    let count = "SELECT (SELECT count(*) FROM public.captured), (SELECT count(*) FROM rowcast.outbox WHERE source = 'public.captured'), (SELECT count(*) FROM public.copied), (SELECT count(*) FROM public.copies)";
    let counted = postgres.runtime.block_on(admin.query_one(count, &[])).unwrap();
    let [captured, events, rows, copies] = [0, 1, 2, 3].map(|n| counted.get::<_, i64>(n));
    assert_eq!((captured, rows), (events, copies), "a row without an event, or an event without a row");
}
