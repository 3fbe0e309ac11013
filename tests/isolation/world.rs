//! Who there is, what they hold at first, what of it changes, and the tables that say so.

use std::collections::BTreeSet;

use fastrand::Rng;
use tokio_postgres::Client;

use crate::{
    events::{FIELDS, REPLACEMENTS},
    harness::{Database, Role},
    rules::{Fact, Hiding, TEAM, Value, Wanted, redactions_of},
};

pub(crate) const ORGANIZATIONS: [&str; 4] = ["o1", "o2", "o3", "o4"];
pub(crate) const USERS: [&str; 10] = ["ann", "bob", "cid", "dora", "eve", "fay", "gus", "hal", "ida", "joe"];
pub(crate) const EVENT_TYPES: [&str; 3] = ["alpha", "beta", "gamma"];
const PERMISSIONS: [&str; 3] = ["admin", "watch", "audit"];
/// A plain member has no permission; what the others have changes.
const ROLES: [&str; 7] = ["member", "watcher", "auditor", "boss", "mixed", "team_member", "team_lead"];

/// The tables of the app, in which the writers write, and how they are attached.
const TABLES: &str = "
    CREATE TABLE public.notes (id bigint PRIMARY KEY, organization text, payload jsonb NOT NULL);
    CREATE TABLE public.papers (id bigint PRIMARY KEY, organization text, owner text, payload jsonb NOT NULL);
    CREATE TABLE public.notices (id bigint PRIMARY KEY, payload jsonb NOT NULL);
    CREATE TABLE public.letters (id bigint PRIMARY KEY, owner text, payload jsonb NOT NULL);
    SELECT rowcast.attach('public.notes', 'alpha', organization_id => 'r.organization', data => 'r.payload');
    SELECT rowcast.attach('public.papers', 'beta', organization_id => 'r.organization', user_id => 'r.owner', private => true, data => 'r.payload');
    SELECT rowcast.attach('public.notices', 'gamma', data => 'r.payload');
    SELECT rowcast.attach('public.letters', 'alpha', user_id => 'r.owner', private => true, data => 'r.payload');
";

/// The tables of access that the adopter has beside ours.
const TEAMS: &str = "
    CREATE TABLE public.people (id text PRIMARY KEY, enabled boolean NOT NULL, seen timestamptz);
    CREATE TABLE public.teams (person text NOT NULL, team text, role text NOT NULL);
    CREATE TABLE public.team_roles (role text NOT NULL, permission text NOT NULL);
    GRANT UPDATE (seen), SELECT (id) ON public.people TO rowcast_test_app;
";

const GRANTS: &str = "
    SELECT user_id, organization_id, permission FROM rowcast.membership_grants
    UNION ALL
    SELECT t.person, t.team, r.permission
    FROM public.teams t
    JOIN public.people p ON p.id = t.person AND p.enabled
    LEFT JOIN public.team_roles r ON r.role = t.role";

const WATCH: &str = r#"{
    "public.teams": "r.person",
    "public.people": {"user": "r.id", "columns": ["enabled"]},
    "public.team_roles": null
}"#;

/// The world at the beginning, and which of it does not stay as it is.
pub(crate) struct World {
    pub(crate) facts: Vec<(Fact, Value)>,
    pub(crate) changing: Vec<(Fact, Value)>,
}

impl World {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        let mut facts = BTreeSet::new();
        for user in USERS {
            facts.insert(Fact::Enabled { user });
            for _ in 0..random.usize(2..6) {
                let organization = (random.u8(..8) > 0).then(|| pick(random, &ORGANIZATIONS));
                facts.insert(Fact::Membership { user, organization, role: pick(random, &ROLES) });
            }
        }
        for role in &ROLES[1..] {
            for permission in PERMISSIONS.iter().filter(|_| random.u8(..3) > 0) {
                facts.insert(Fact::Permission { role, permission });
            }
        }
        for event_type in EVENT_TYPES {
            facts.insert(Fact::Requirement { event_type });
            facts.extend(redactions_of(event_type));
        }
        let facts: Vec<_> = facts.into_iter().map(|fact| (fact, draw_value(fact, random))).collect();
        // Who a user is stays more often than not, so that something has to come all the time.
        let changing = facts.iter().copied().filter(|_| random.u8(..5) < 2).collect();
        Self { facts, changing }
    }

    /// What changes, in so many hands: whoever has a fact in hand is the only one who changes it.
    pub(crate) fn shared_out(&self, hands: usize) -> Vec<Vec<(Fact, Value)>> {
        (0..hands).map(|hand| self.changing.iter().copied().skip(hand).step_by(hands).collect()).collect()
    }
}

/// What a client asks for: mostly everything.
pub(crate) fn draw_wanted(user: &'static str, random: &mut Rng) -> Wanted {
    let organization = (random.u8(..3) == 0).then(|| pick(random, &ORGANIZATIONS));
    let types = random.bool().then(|| random.choose_multiple(EVENT_TYPES, 2).into_iter().collect());
    Wanted { user, types, organization }
}

pub(crate) fn pick<T: Copy>(random: &mut Rng, all: &[T]) -> T {
    all[random.usize(..all.len())]
}

/// Something that may be so of this fact.
fn draw_value(fact: Fact, random: &mut Rng) -> Value {
    match fact {
        Fact::Membership { .. } | Fact::Permission { .. } => Value::Held(random.u8(..3) > 0),
        Fact::Enabled { .. } => Value::Held(random.u8(..4) > 0),
        Fact::Requirement { .. } => Value::Requires((random.u8(..4) == 0).then(|| pick(random, &PERMISSIONS))),
        Fact::Redaction { .. } => Value::Hides(random.bool().then(|| Hiding {
            unless: pick(random, &PERMISSIONS),
            replacement: random.bool().then(|| pick(random, &REPLACEMENTS)),
        })),
    }
}

/// Something else.
pub(crate) fn draw_change(fact: Fact, current: Value, random: &mut Rng) -> Value {
    loop {
        let value = draw_value(fact, random);
        if value != current {
            return value;
        }
    }
}

/// Makes the tables, and puts into force what is so at the beginning.
pub(crate) async fn prepare(db: &Database, world: &World) {
    let owner = db.connect().await;
    let types = "INSERT INTO rowcast.event_types (name) SELECT unnest($1::text[])";
    owner.execute(types, &[&EVENT_TYPES.as_slice()]).await.unwrap();
    owner.batch_execute(TEAMS).await.unwrap();
    let people = "INSERT INTO public.people SELECT unnest($1::text[]), false";
    owner.execute(people, &[&USERS.as_slice()]).await.unwrap();
    owner.execute("SELECT rowcast.use_grants($1, $2::text::jsonb)", &[&GRANTS, &WATCH]).await.unwrap();
    for &(fact, value) in &world.facts {
        if value != Value::Held(false) && value != Value::Hides(None) {
            put_into_force(&owner, fact, value).await;
        }
    }
    db.connect_as(Role::Writer).await.batch_execute(TABLES).await.unwrap();
}

/// The statement that makes it so.
pub(crate) async fn put_into_force(client: &Client, fact: Fact, value: Value) {
    let (rows, expected) = match (fact, value) {
        (Fact::Membership { user, organization, role }, Value::Held(held)) => {
            let (table, columns) = if role.starts_with(TEAM) {
                ("public.teams", ["person", "team"])
            } else {
                ("rowcast.memberships", ["user_id", "organization_id"])
            };
            let [who, place] = columns;
            let statement = if held {
                format!("INSERT INTO {table} ({who}, {place}, role) VALUES ($1, $2, $3)")
            } else {
                format!("DELETE FROM {table} WHERE {who} = $1 AND {place} IS NOT DISTINCT FROM $2 AND role = $3")
            };
            (client.execute(&statement, &[&user, &organization, &role]).await, 1)
        }
        (Fact::Permission { role, permission }, Value::Held(held)) => {
            let table = if role.starts_with(TEAM) { "public.team_roles" } else { "rowcast.role_permissions" };
            let statement = if held {
                format!("INSERT INTO {table} (role, permission) VALUES ($1, $2)")
            } else {
                format!("DELETE FROM {table} WHERE role = $1 AND permission = $2")
            };
            (client.execute(&statement, &[&role, &permission]).await, 1)
        }
        (Fact::Enabled { user }, Value::Held(held)) => {
            (client.execute("UPDATE public.people SET enabled = $2 WHERE id = $1", &[&user, &held]).await, 1)
        }
        (Fact::Requirement { event_type }, Value::Requires(needed)) => {
            let update = "UPDATE rowcast.event_types SET required_permission = $2 WHERE name = $1";
            (client.execute(update, &[&event_type, &needed]).await, 1)
        }
        (Fact::Redaction { event_type, field }, Value::Hides(hiding)) => {
            let path = FIELDS[field];
            match hiding {
                None => {
                    let delete = "DELETE FROM rowcast.redactions WHERE event_type = $1 AND path = $2";
                    (client.execute(delete, &[&event_type, &path]).await, 1)
                }
                Some(Hiding { unless, replacement }) => {
                    let upsert = "INSERT INTO rowcast.redactions VALUES ($1, $2, $3, to_jsonb($4::text))
                        ON CONFLICT (event_type, path) DO UPDATE
                        SET unless_permission = excluded.unless_permission, replacement = excluded.replacement";
                    (client.execute(upsert, &[&event_type, &path, &unless, &replacement]).await, 1)
                }
            }
        }
        (fact, value) => panic!("{fact:?} cannot be {value:?}"),
    };
    assert_eq!(rows.unwrap(), expected, "{fact:?} to be {value:?}");
}
