//! Those who write: into attached tables, as the app, and by `rowcast.emit`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde_json::Value;
use tokio::{sync::watch, time::sleep};
use tokio_postgres::Client;

use crate::{
    choices::{Choices, milliseconds},
    events::{Audience, Event, FIELDS, Key, Shown, payload},
    moments::{Clock, Span},
    world::{EVENT_TYPES, ORGANIZATIONS, USERS, pick},
};

/// Numbers what is written. Rows are named after the first thing that was written into them.
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// A row of a writer's own.
#[derive(Clone, Copy)]
struct Row {
    table: Table,
    id: i64,
    number: u64,
    home: Home,
}

/// Where a row belongs and to whom, as far as its table says either.
type Home = (Option<&'static str>, Option<&'static str>);

#[derive(Clone, Copy)]
enum Table {
    Notes,
    Papers,
    Notices,
    Letters,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Notes => "notes",
            Self::Papers => "papers",
            Self::Notices => "notices",
            Self::Letters => "letters",
        }
    }

    fn event_type(self) -> &'static str {
        match self {
            Self::Notes | Self::Letters => "alpha",
            Self::Papers => "beta",
            Self::Notices => "gamma",
        }
    }

    /// The columns that say where it belongs, and to whom.
    fn columns(self) -> (bool, bool) {
        match self {
            Self::Notes => (true, false),
            Self::Papers => (true, true),
            Self::Notices => (false, false),
            Self::Letters => (false, true),
        }
    }

    /// Somebody's, more often than not.
    fn draw_home(self, draw: &mut fastrand::Rng) -> Home {
        let (organization, owner) = self.columns();
        (
            (organization && draw.u8(..8) > 0).then(|| pick(draw, &ORGANIZATIONS)),
            (owner && draw.u8(..8) > 0).then(|| pick(draw, &USERS)),
        )
    }

    /// For whom a row is.
    fn audience(self, home: Home) -> Audience {
        match (self, home) {
            (Self::Notices, _) => Audience::Platform,
            (Self::Notes, (Some(organization), _)) => Audience::Organization(organization),
            (Self::Letters, (_, Some(owner))) => Audience::User(owner, None),
            (Self::Papers, (Some(organization), Some(owner))) => Audience::User(owner, Some(organization)),
            _ => Audience::Nobody,
        }
    }
}

impl Row {
    fn written(&self, operation: &'static str) -> Written {
        ((self.number, operation), self.table.event_type(), self.table.audience(self.home))
    }

    async fn insert(&self, client: &Client, data: &Value) {
        let (organization, owner) = self.home;
        let statement = match self.table.columns() {
            (false, false) => "(id, payload) SELECT $1, $2 WHERE $3::text IS NULL AND $4::text IS NULL",
            (true, false) => "(id, payload, organization) SELECT $1, $2, $3::text WHERE $4::text IS NULL",
            (false, true) => "(id, payload, owner) SELECT $1, $2, $4::text WHERE $3::text IS NULL",
            (true, true) => "(id, payload, organization, owner) SELECT $1, $2, $3::text, $4::text",
        };
        let insert = format!("INSERT INTO public.{} {statement}", self.table.name());
        assert_eq!(client.execute(&insert, &[&self.id, data, &organization, &owner]).await.unwrap(), 1);
    }

    async fn update(&self, client: &Client, data: &Value) {
        let (organization, owner) = self.home;
        let columns = match self.table.columns() {
            (false, false) => "",
            (true, false) => ", organization = $3::text",
            (false, true) => ", owner = $4::text",
            (true, true) => ", organization = $3::text, owner = $4::text",
        };
        let update = format!(
            "UPDATE public.{} SET payload = $2{columns} WHERE id = $1 AND coalesce($3::text, $4::text, '') IS NOT NULL",
            self.table.name()
        );
        assert_eq!(client.execute(&update, &[&self.id, data, &organization, &owner]).await.unwrap(), 1);
    }
}

/// Writes until it is told to stop; returns what was committed. One with the right to it emits; to the others rowcast does not exist.
pub(crate) async fn write(
    client: Client,
    emits: bool,
    mut choices: Choices,
    clock: Arc<Clock>,
    stop: watch::Receiver<bool>,
) -> Vec<(Key, Event)> {
    let mut committed = Vec::new();
    let mut rows = Vec::<Row>::new();
    while !*stop.borrow() {
        let mut draw = choices.step();
        sleep(milliseconds(&mut draw, 0..120)).await;
        client.batch_execute("BEGIN").await.unwrap();
        let mut written = Vec::new();
        let mut rows_now = rows.clone();
        for _ in 0..draw.u8(1..4) {
            if emits {
                written.push(emit(&client, &mut draw).await);
            } else {
                written.extend(statement(&client, &mut rows_now, &mut draw).await);
            }
        }
        if draw.u8(..8) == 0 {
            sleep(milliseconds(&mut draw, 1..600)).await;
        }
        if draw.u8(..7) == 0 {
            client.batch_execute("ROLLBACK").await.unwrap();
            continue;
        }
        let from = clock.now();
        client.batch_execute("COMMIT").await.unwrap();
        let commit = Span { from, to: clock.now() };
        rows = rows_now;
        let event = |(key, event_type, audience)| (key, Event { event_type, audience, commit });
        committed.extend(written.into_iter().map(event));
    }
    committed
}

/// What is written, if it is committed.
type Written = (Key, &'static str, Audience);

/// What comes next, whoever writes it.
fn next() -> (u64, Value) {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    (number, payload(number, [Shown::Whole; FIELDS.len()]))
}

async fn emit(client: &Client, draw: &mut fastrand::Rng) -> Written {
    let (number, data) = next();
    let event_type = pick(draw, &EVENT_TYPES);
    let organization = (draw.u8(..6) > 0).then(|| pick(draw, &ORGANIZATIONS));
    client.execute("SELECT rowcast.emit($1, $2, $3)", &[&event_type, &organization, &data]).await.unwrap();
    ((number, "EMIT"), event_type, organization.map_or(Audience::Platform, Audience::Organization))
}

async fn statement(client: &Client, rows: &mut Vec<Row>, draw: &mut fastrand::Rng) -> Vec<Written> {
    if rows.is_empty() || draw.u8(..5) < 2 {
        let (number, data) = next();
        let tables = [Table::Notes, Table::Notes, Table::Papers, Table::Papers, Table::Notices, Table::Letters];
        let table = pick(draw, &tables);
        let row = Row { table, id: i64::try_from(number).unwrap(), number, home: table.draw_home(draw) };
        row.insert(client, &data).await;
        rows.push(row);
        return vec![row.written("INSERT")];
    }
    let at = draw.usize(..rows.len());
    let old = rows[at];
    if draw.u8(..4) == 0 {
        let delete = format!("DELETE FROM public.{} WHERE id = $1", old.table.name());
        assert_eq!(client.execute(&delete, &[&old.id]).await.unwrap(), 1);
        rows.swap_remove(at);
        return vec![old.written("DELETE")];
    }
    let (number, data) = next();
    let home = if draw.bool() { old.home } else { old.table.draw_home(draw) };
    rows[at] = Row { number, home, ..old };
    rows[at].update(client, &data).await;
    // Who watches sees it leave one place and come to another.
    if home == old.home {
        vec![rows[at].written("UPDATE")]
    } else {
        vec![old.written("DELETE"), rows[at].written("INSERT")]
    }
}
