//! The tables, the users and what they may see, and the outbox as the oracle of what they must have had.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Mutex,
};

use serde_json::Value;
use tokio_postgres::{Client, Row};

use crate::{
    faults::Urls,
    harness::{Place, Role, eventually},
};

pub(crate) const ORGANIZATIONS: [&str; 4] = ["o1", "o2", "o3", "o4"];

/// The tables, and what their rows become. The last is for those who hold `chatbot_manager`.
pub(crate) const TABLES: [(&str, &str); 3] =
    [("items", "document_processing"), ("notes", "conversation_activity"), ("figures", RESTRICTED)];

const RESTRICTED: &str = "chatbot_metrics";

/// A role in an organization; none is everywhere, as for platform staff.
pub(crate) type Membership = (Option<&'static str>, &'static str);

/// A user, and what their client asks for.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) user: &'static str,
    /// What they hold all the time.
    memberships: &'static [Membership],
    /// What they are given and deprived of again and again.
    pub(crate) changing: &'static [Membership],
    pub(crate) types: Option<&'static [&'static str]>,
    pub(crate) organization: Option<&'static str>,
}

const fn viewer(user: &'static str, memberships: &'static [Membership]) -> Viewer {
    Viewer { user, memberships, changing: &[], types: None, organization: None }
}

pub(crate) const VIEWERS: [Viewer; 12] = [
    viewer("one", &[(Some("o1"), "member")]),
    viewer("two", &[(Some("o2"), "member")]),
    viewer("several", &[(Some("o1"), "member"), (Some("o2"), "member"), (Some("o3"), "member")]),
    viewer("admin", &[(Some("o4"), "admin")]),
    viewer("staff", &[(None, "member")]),
    viewer("staff_admin", &[(None, "admin")]),
    Viewer {
        types: Some(&["document_processing"]),
        ..viewer("documents", &[(Some("o2"), "member"), (Some("o3"), "member")])
    },
    Viewer { organization: Some("o4"), ..viewer("one_of_two", &[(Some("o1"), "member"), (Some("o4"), "member")]) },
    Viewer { types: Some(&[RESTRICTED]), ..viewer("figures", &[(Some("o3"), "admin"), (Some("o2"), "member")]) },
    Viewer { changing: &[(Some("o2"), "member")], ..viewer("guest", &[(Some("o1"), "member")]) },
    Viewer { changing: &[(Some("o3"), "admin")], ..viewer("deputy", &[(Some("o3"), "member")]) },
    Viewer { changing: &[(Some("o4"), "member")], ..viewer("stranger", &[]) },
];

/// What an event is, to those who judge it.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) id: i64,
    event_type: String,
    /// None is the platform.
    organization: Option<String>,
    /// The row it is of.
    pub(crate) row: Option<(String, String)>,
    /// Of all that it says.
    pub(crate) digest: u64,
}

impl Fact {
    /// An event as a client gets it.
    pub(crate) fn of_envelope(envelope: &Value) -> Self {
        let text = |field: &str| envelope[field].as_str().map(str::to_owned);
        Self::new(
            text("id").unwrap().parse().unwrap(),
            [text("type"), text("organizationId"), text("source"), text("key"), text("operation")],
            &envelope["data"],
        )
    }

    /// An event as the outbox has it.
    fn of_row(row: &Row) -> Self {
        let text = |column: &str| row.get::<_, Option<String>>(column);
        let texts =
            [text("event_type"), text("organization_id"), text("source"), text("source_key"), text("operation")];
        Self::new(row.get("id"), texts, &row.get("data"))
    }

    fn new(id: i64, texts: [Option<String>; 5], data: &Value) -> Self {
        let mut hasher = DefaultHasher::new();
        (&texts, data.to_string()).hash(&mut hasher);
        let [event_type, organization, source, key, _] = texts;
        Self { id, event_type: event_type.unwrap(), organization, row: source.zip(key), digest: hasher.finish() }
    }

    fn is_granted_by(&self, (organization, role): &Membership) -> bool {
        let within = organization.is_none_or(|held| self.organization.as_deref().is_none_or(|own| own == held));
        within && (self.event_type != RESTRICTED || *role == "admin")
    }
}

impl Viewer {
    /// Whether the event is for this client, by what its user holds all the time.
    pub(crate) fn always_sees(&self, fact: &Fact) -> bool {
        self.wants(fact) && self.memberships.iter().any(|membership| fact.is_granted_by(membership))
    }

    /// Whether it is for this client when its user holds all that they ever hold.
    fn may_at_times_see(&self, fact: &Fact) -> bool {
        let mut all = self.memberships.iter().chain(self.changing);
        self.wants(fact) && all.any(|membership| fact.is_granted_by(membership))
    }

    /// Whether it was allowed to come now.
    pub(crate) fn may_now_see(&self, fact: &Fact, ledger: &Ledger) -> bool {
        let held = |membership: &&Membership| !ledger.had_revoked(self.user, **membership, fact.id);
        self.always_sees(fact)
            || self.wants(fact) && self.changing.iter().filter(held).any(|membership| fact.is_granted_by(membership))
    }

    fn wants(&self, fact: &Fact) -> bool {
        let organization =
            self.organization.is_none_or(|wanted| fact.organization.as_ref().is_none_or(|own| own == wanted));
        organization && self.types.is_none_or(|types| types.contains(&fact.event_type.as_str()))
    }
}

/// Which revocations have taken effect for certain: COMMIT had returned before this id was drawn.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<HashMap<(&'static str, Membership), i64>>);

impl Ledger {
    /// The user does not see what is drawn above `floor` by virtue of this.
    pub(crate) fn revoked(&self, user: &'static str, membership: Membership, floor: i64) {
        self.0.lock().unwrap().insert((user, membership), floor);
    }

    /// From now on they may see it again.
    pub(crate) fn granting(&self, user: &'static str, membership: Membership) {
        self.0.lock().unwrap().remove(&(user, membership));
    }

    fn had_revoked(&self, user: &'static str, membership: Membership, id: i64) -> bool {
        self.0.lock().unwrap().get(&(user, membership)).is_some_and(|&floor| id > floor)
    }
}

/// Makes the tables, and gives everybody what they hold.
pub(crate) async fn prepare(place: &impl Place) {
    let owner = place.connect_as(Role::Writer).await;
    for (table, event_type) in TABLES {
        owner.batch_execute(&format!(
            "CREATE TABLE {table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organization text, version int NOT NULL);
             GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO PUBLIC;
             SELECT rowcast.attach('{table}', '{event_type}', organization_id => 'r.organization');"
        ))
        .await
        .unwrap();
    }
    let admin = place.connect_as(Role::Owner).await;
    for viewer in &VIEWERS {
        for membership in viewer.memberships.iter().chain(viewer.changing) {
            grant(&admin, viewer.user, *membership).await.unwrap();
        }
    }
}

pub(crate) async fn grant(
    client: &Client,
    user: &str,
    (organization, role): Membership,
) -> Result<(), tokio_postgres::Error> {
    let insert = "INSERT INTO rowcast.memberships VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    client.execute(insert, &[&user, &organization, &role]).await.map(drop)
}

/// When all is well again: everybody holds what they ever held, and something happens in every organization. Returns the last id before that.
pub(crate) async fn finale(urls: &Urls, ledger: &Ledger) -> i64 {
    let admin = eventually("Postgres to let people in", async || urls.try_connect(Role::Owner).await.ok()).await;
    for viewer in &VIEWERS {
        for &membership in viewer.changing {
            ledger.granting(viewer.user, membership);
            grant(&admin, viewer.user, membership).await.unwrap();
        }
    }
    let last: i64 = last_id(&admin).await.unwrap();
    let writer = urls.connect_as(Role::Writer).await;
    for organization in ORGANIZATIONS {
        for (table, _) in TABLES {
            writer
                .execute(&format!("INSERT INTO {table} (organization, version) VALUES ($1, 0)"), &[&organization])
                .await
                .unwrap();
        }
    }
    writer.batch_execute("SELECT rowcast.emit('document_processing', NULL, '{\"last\": true}')").await.unwrap();
    last
}

/// The last id that was drawn.
pub(crate) async fn last_id(client: &Client) -> Result<i64, tokio_postgres::Error> {
    Ok(client.query_one("SELECT last_value FROM rowcast.outbox_id_seq", &[]).await?.get(0))
}

/// What was committed.
pub(crate) struct Outbox {
    facts: BTreeMap<i64, Fact>,
    /// Above this, nobody's access has changed any more.
    steady_above: i64,
}

impl Outbox {
    pub(crate) async fn read(client: &Client, steady_above: i64) -> Self {
        let all = "SELECT id, event_type, organization_id, source, source_key, operation, data FROM rowcast.outbox";
        let facts =
            client.query(all, &[]).await.unwrap().iter().map(Fact::of_row).map(|fact| (fact.id, fact)).collect();
        Self { facts, steady_above }
    }

    pub(crate) fn len(&self) -> usize {
        self.facts.len()
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Fact> {
        self.facts.get(&id)
    }

    /// What this client must have had.
    pub(crate) fn owed_to(&self, viewer: &Viewer) -> impl Iterator<Item = &Fact> {
        self.facts.values().filter(move |fact| {
            viewer.always_sees(fact) || fact.id > self.steady_above && viewer.may_at_times_see(fact)
        })
    }
}
