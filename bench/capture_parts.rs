//! What a capture is made of: the trigger is built up part by part, and what each part adds is told for a transaction of one row.
//!
//! One session writes, in a loop of its own within the database, so nothing is measured but the database. The parts stand in the order in which one would add them; what
//! each costs depends on those before it, and the last line is the trigger that `rowcast.attach` makes.

use std::time::Instant;

use tokio_postgres::Client;

use crate::{
    capture::{ROW, SCHEMA},
    figures::{Figure, Figures, Goal, median},
    postgres::Postgres,
};

/// Transactions of one piece of a round.
const TRANSACTIONS: u32 = 3_000;

const SETTINGS: &str = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'";
const ID: &str = "rowcast.draw_id((SELECT rowcast.open_window()))";
const DATA: &str = "to_jsonb(n)";
const LOOKED_AT: &str = "CASE WHEN pg_column_size(e.data) <= rowcast.max_payload_bytes() AND (e.data @? '$ ? (@.id > 9007199254740991 || @.id < -9007199254740991)') IS NOT TRUE THEN e.data
         ELSE rowcast.made_sendable('', e.data, e.key, '$', false, '{}') END";
const NESTED: &str = "IF pg_trigger_depth() > 1 OR current_setting('rowcast.window', true) <> '' THEN RETURN NULL; END IF; IF TG_OP = 'INSERT' THEN";

/// One more part each: its name, the function's attributes, what comes before the INSERT, that, and what comes after.
struct Part {
    name: &'static str,
    attributes: &'static str,
    before: &'static str,
    insert: String,
    after: &'static str,
}

fn parts() -> Vec<Part> {
    let copy = |target: &str, id: &str| {
        format!(
            "INSERT INTO public.{target} (id, event_type, audience, organization_id, user_id, chatbot_id, session_id, source, source_key, operation, priority, data)
             SELECT {id}, 'document_processing', 'organization', n.organization_id, NULL, NULL, NULL, 'public.captured', n.id::text, 'INSERT', 'medium', {DATA} FROM written AS n;"
        )
    };
    let looked_at = format!(
        "INSERT INTO public.parted (id, event_type, audience, organization_id, user_id, chatbot_id, session_id, source, source_key, operation, priority, data)
         SELECT e.id, 'document_processing', CASE WHEN e.organization_id IS NULL THEN 'nobody' ELSE 'organization' END, e.organization_id, NULL, NULL, NULL, 'public.captured', e.key, 'INSERT', 'medium', {LOOKED_AT}
         FROM (SELECT {ID} AS id, n.id::text AS key, n.organization_id, CASE WHEN pg_column_size(n) > rowcast.max_payload_bytes() THEN NULL ELSE {DATA} END AS data FROM written AS n OFFSET 0) AS e;"
    );
    let part = |name, attributes, before, insert, after| Part { name, attributes, before, insert, after };
    let sequence = "nextval('public.copies_id_seq')";
    vec![
        part("a trigger with a transition table", "", "", String::new(), ""),
        part("one INSERT, as JSON", "", "", copy("copies", sequence), ""),
        part("SECURITY DEFINER, search_path, time zone", SETTINGS, "", copy("copies", sequence), ""),
        // Of the same sequence as all that follows, into the same table.
        part("partitions", SETTINGS, "", copy("parted", "nextval('rowcast.outbox_id_seq')"), ""),
        part("windows, the mark, ids", SETTINGS, "", copy("parted", ID), ""),
        part("looks at size and numbers", SETTINGS, "", looked_at.clone(), ""),
        part("looks for nested writes", SETTINGS, NESTED, looked_at.clone(), "END IF;"),
        part(
            "the doorbell",
            SETTINGS,
            NESTED,
            looked_at,
            "END IF; rung := CASE WHEN FOUND THEN rowcast.ring_doorbell() END;",
        ),
    ]
}

pub(crate) fn measure(figures: &mut Figures, rounds: usize) {
    let postgres = Postgres::start(&[]);
    let admin = postgres.connect();
    let run = |statements: &str| postgres.runtime.block_on(admin.batch_execute(statements)).unwrap();
    run(SCHEMA);
    run("CREATE TABLE public.parted (LIKE public.copies INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY RANGE (id);
         CREATE TABLE public.parted_1 PARTITION OF public.parted FOR VALUES FROM (1) TO (100000000);
         CREATE TABLE public.parted_default PARTITION OF public.parted DEFAULT");
    let parts = parts();
    for (n, part) in parts.iter().enumerate() {
        let Part { attributes, before, insert, after, .. } = part;
        run(&format!(
            "CREATE TABLE public.part_{n} (LIKE public.bare INCLUDING ALL);
             CREATE FUNCTION public.part_{n}() RETURNS trigger LANGUAGE plpgsql {attributes} AS $$ DECLARE rung text; BEGIN {before} {insert} {after} RETURN NULL; END $$;
             CREATE TRIGGER part AFTER INSERT ON public.part_{n} REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.part_{n}()"
        ));
    }

    let tables = (0..parts.len()).map(|n| format!("part_{n}"));
    let tables: Vec<String> = ["bare".to_owned()].into_iter().chain(tables).chain(["captured".to_owned()]).collect();
    let mut costs = vec![Vec::new(); tables.len()];
    for round in 0..=rounds {
        for (table, costs) in tables.iter().zip(&mut costs) {
            let cost = transaction(&postgres, &admin, table);
            // The first is for plans.
            if round > 0 {
                costs.push(cost);
            }
        }
    }

    let costs: Vec<f64> = costs.iter().map(|rounds| median(rounds)).collect();
    let (bare, whole) = (costs[0], costs[costs.len() - 1]);
    let names = parts.iter().map(|part| part.name).chain(["what rowcast.attach adds to that"]);
    println!(
        "\n| a transaction of one row | µs | share of the trigger |\n|---|---:|---:|\n| without a trigger | {bare:.1} | |"
    );
    for (name, cost) in names.zip(costs.windows(2)) {
        let added = cost[1] - cost[0];
        println!("| + {name} | {added:.1} | {:.0} % |", 100.0 * added / (whole - bare));
    }
    let figure = |what: &str, cost: f64, peer: &str, theirs: f64| Figure {
        what: what.to_owned(),
        unit: "µs for a transaction",
        ours: vec![cost - bare],
        peer: Some((peer.to_owned(), vec![theirs - bare])),
        goal: Goal::None,
    };
    figures.add(figure("capture, the trigger alone", whole, "a plain second INSERT", costs[2]));
}

/// What a transaction of one row takes, in microseconds.
fn transaction(postgres: &Postgres, admin: &Client, table: &str) -> f64 {
    let transactions = format!(
        "DO $$ BEGIN FOR n IN 1..{TRANSACTIONS} LOOP INSERT INTO public.{table} {ROW}; COMMIT; END LOOP; END $$"
    );
    let begun = Instant::now();
    postgres.runtime.block_on(admin.batch_execute(&transactions)).unwrap();
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(TRANSACTIONS)
}
