//! What `rowcast.explain` says is what a real server does: random users, grants, events and redactions, and every event of the outbox compared.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use futures_util::future::join_all;
use rowcast::http::answers::ExplanationAnswer;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::{self, Database, Role, Server, eventually, sse};

const USERS: [&str; 7] = ["u0", "u1", "u2", "u3", "u4", "u5", "stranger"];
const ORGANIZATIONS: [&str; 3] = ["o0", "o1", "o2"];
const PERMISSIONS: [&str; 4] = ["admin", "monitor", "chatbot_manager", "billing"];
const TYPES: [&str; 5] = ["document_processing", "user_activity", "chatbot_metrics", "invoice", "unknown_to_all"];
const EVENTS: usize = 80;

/// The rules of an app, and what was granted.
const RULES: &str = "
    INSERT INTO rowcast.event_types VALUES ('invoice', 'billing');
    INSERT INTO rowcast.redactions VALUES
        ('document_processing', '{a}', 'monitor', '\"[HIDDEN]\"'), ('document_processing', '{a,b}', 'admin', NULL),
        ('document_processing', '{c,b}', 'billing', '{\"b\": 1}'), ('document_processing', '{c,b,b}', 'admin', NULL),
        ('user_activity', '{b}', 'admin', NULL), ('invoice', '{a,b,c}', 'admin', '0');
    CREATE TABLE public.staff (who text, team text, may text);";

fn some<'a>(rng: &mut Rng, among: &[&'a str]) -> &'a str {
    among[rng.usize(..among.len())]
}

fn perhaps<'a>(rng: &mut Rng, among: &[&'a str]) -> Option<&'a str> {
    (rng.u8(..4) > 0).then(|| some(rng, among))
}

/// A value of few keys, so that paths meet something.
fn value(rng: &mut Rng, depth: u8) -> Value {
    match rng.u8(..if depth == 0 { 3 } else { 6 }) {
        0 => Value::Null,
        1 => json!(rng.u8(..)),
        2 => json!("text"),
        3 => Value::Array((0..rng.usize(..3)).map(|_| value(rng, depth - 1)).collect()),
        _ => object(rng, depth - 1),
    }
}

fn object(rng: &mut Rng, depth: u8) -> Value {
    let mut field = |key: &str| (rng.u8(..4) > 0).then(|| (key.to_owned(), value(rng, depth)));
    ["a", "b", "c"].into_iter().filter_map(&mut field).collect()
}

async fn write_events(superuser: &Client, rng: &mut Rng) {
    let insert = "INSERT INTO rowcast.outbox (id, event_type, audience, organization_id, user_id, operation, data)
                  VALUES (nextval('rowcast.outbox_id_seq'), $1, $2, $3, $4, 'EMIT', $5)";
    for _ in 0..EVENTS {
        let audience = some(rng, &["organization", "organization", "platform", "user", "user", "nobody", "strange"]);
        let organization = perhaps(rng, &ORGANIZATIONS).filter(|_| audience != "platform" || rng.u8(..5) == 0);
        let (kind, user) = (some(rng, &TYPES), perhaps(rng, &USERS));
        superuser.execute(insert, &[&kind, &audience, &organization, &user, &object(rng, 3)]).await.unwrap();
        if rng.u8(..8) == 0 {
            superuser.batch_execute("SELECT nextval('rowcast.outbox_id_seq')").await.unwrap();
        }
    }
}

/// Grants at random, in whichever table they are kept.
async fn grant(superuser: &Client, rng: &mut Rng, insert: &str) {
    for user in &USERS[..6] {
        for _ in 0..rng.usize(..4) {
            let organization = perhaps(rng, &ORGANIZATIONS);
            let permission = some(rng, &["none", "none", "admin", "monitor", "chatbot_manager", "billing"]);
            superuser.execute(insert, &[user, &organization, &permission]).await.unwrap();
        }
    }
    // However little chance gives to others, somebody sees most of it.
    for permission in ["monitor", "chatbot_manager", "billing"] {
        superuser.execute(insert, &[&USERS[5], &None::<&str>, &permission]).await.unwrap();
    }
}

/// All that polls of everything deliver, by id. An answer may end early.
async fn delivered(server: &Server, user: &str, query: &str) -> BTreeMap<i64, Value> {
    let headers = format!("Authorization: Bearer {}\r\n", harness::token(user));
    let mut delivered = BTreeMap::new();
    let mut cursor = "0".to_owned();
    loop {
        let target = format!("/api/v1/realtime/events?after={cursor}&wait=0&limit=1000{query}");
        let mut answer = sse::Client::request(&server.url(), "GET", &target, &headers, "").await;
        let body = answer.rest().await;
        if answer.status == 403 {
            return BTreeMap::new();
        }
        assert_eq!(answer.status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        let events = answer["events"].as_array().unwrap();
        delivered
            .extend(events.iter().map(|event| (event["id"].as_str().unwrap().parse().unwrap(), event["data"].clone())));
        if answer["cursor"] == *cursor {
            return delivered;
        }
        answer["cursor"].as_str().unwrap().clone_into(&mut cursor);
    }
}

/// What is said of every id: whether it is delivered, and with which data, if one follows the redactions that are told.
async fn explained(
    reader: &Client,
    user: &str,
    types: Option<&[&str]>,
    organization: Option<&str>,
) -> BTreeMap<i64, Value> {
    let explain = "
        SELECT id, o.data, array_agg(split_part(e.detail, ' is ', 1)) FILTER (WHERE e.rule = 'redacted')
        FROM generate_series(1, (SELECT last_value FROM rowcast.outbox_id_seq)) AS id
        CROSS JOIN LATERAL rowcast.explain($1, id, $2, $3) AS e
        LEFT JOIN rowcast.outbox AS o USING (id)
        GROUP BY id, o.data HAVING bool_or(e.passes) FILTER (WHERE e.rule = 'delivered')";
    let mut explained = BTreeMap::new();
    for row in reader.query(explain, &[&user, &types, &organization]).await.unwrap() {
        let (id, data, paths): (i64, Value, Option<Vec<String>>) = (row.get(0), row.get(1), row.get(2));
        explained.insert(id, hide(data, &paths.unwrap_or_default()));
    }
    explained
}

/// The redactions of [`RULES`] that are named, done by a third hand.
fn hide(mut data: Value, paths: &[String]) -> Value {
    for path in paths {
        let keys: Vec<&str> = path.trim_matches(['{', '}']).split(',').collect();
        let replacement = match path.as_str() {
            "{a}" => Some(json!("[HIDDEN]")),
            "{c,b}" => Some(json!({"b": 1})),
            "{a,b,c}" => Some(json!(0)),
            _ => None,
        };
        let before = data.clone();
        hide_at(&mut data, &keys, replacement.as_ref());
        assert!(data != before || replacement.is_some(), "{path} is told, and there is nothing to hide in {data}");
    }
    data
}

fn hide_at(data: &mut Value, keys: &[&str], replacement: Option<&Value>) {
    match data {
        Value::Array(elements) => elements.iter_mut().for_each(|element| hide_at(element, keys, replacement)),
        Value::Object(fields) if fields.get(keys[0]).is_some_and(|field| !field.is_null()) => {
            match (&keys[1..], replacement) {
                ([], None) => drop(fields.remove(keys[0])),
                ([], Some(replacement)) => fields[keys[0]] = replacement.clone(),
                (rest, _) => hide_at(&mut fields[keys[0]], rest, replacement),
            }
        }
        _ => {}
    }
}

/// What the user is told over HTTP of every id, in the same way: the rest does not exist.
async fn told(server: &Server, user: &str, data: &BTreeMap<i64, Value>, last: i64) -> BTreeMap<i64, Value> {
    let ask = async |id: i64| {
        let (status, body) = super::to_user::ask(server, user, id).await;
        assert!([200, 404].contains(&status), "{body}");
        let answer: ExplanationAnswer = (status == 200).then(|| serde_json::from_str(&body).unwrap())?;
        let paths: Vec<_> = answer.data.hidden.iter().map(|field| format!("{{{}}}", field.path.join(","))).collect();
        Some((id, hide(data[&id].clone(), &paths)))
    };
    join_all((1..=last).map(ask)).await.into_iter().flatten().collect()
}

/// All that is in the outbox, by id.
async fn written(reader: &Client) -> BTreeMap<i64, Value> {
    let rows = reader.query("SELECT id, data FROM rowcast.outbox", &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// A query, and what it asks for: types, organization.
type Way = (&'static str, Option<&'static [&'static str]>, Option<&'static str>);

/// Compares all users and ways to ask; how many events were delivered, and how many not.
async fn compare(server: &Server, reader: &Client, events: usize) -> (usize, usize) {
    let (mut yes, mut no) = (0, 0);
    let written = written(reader).await;
    let last = *written.keys().max().unwrap();
    for user in USERS {
        assert_eq!(
            told(server, user, &written, last).await,
            explained(reader, user, None, None).await,
            "what {user} is told"
        );
        let ways: [Way; 4] = [
            ("", None, None),
            ("&subscriptions=invoice,document_processing", Some(&["invoice", "document_processing"]), None),
            ("&organizationId=o1", None, Some("o1")),
            ("&organizationId=o2&subscriptions=user_activity", Some(&["user_activity"]), Some("o2")),
        ];
        for (query, types, organization) in ways {
            let (got, said) =
                (delivered(server, user, query).await, explained(reader, user, types, organization).await);
            assert_eq!(got, said, "{user} asks for {query:?}");
            yes += got.len();
            no += events - got.len();
        }
    }
    (yes, no)
}

#[tokio::test]
async fn what_is_explained_is_what_is_delivered() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let db = Database::new().await;
    let (superuser, reader) = (db.connect_as(Role::Superuser).await, db.connect_as(Role::Reader).await);
    superuser.batch_execute(RULES).await.unwrap();
    let roles = "INSERT INTO rowcast.role_permissions SELECT p, p FROM unnest($1::text[]) AS p ON CONFLICT DO NOTHING";
    superuser.execute(roles, &[&&PERMISSIONS[..]]).await.unwrap();
    superuser.batch_execute("DELETE FROM rowcast.role_permissions WHERE role <> permission").await.unwrap();
    grant(&superuser, &mut rng, "INSERT INTO rowcast.memberships VALUES ($1, $2, $3) ON CONFLICT DO NOTHING").await;
    write_events(&superuser, &mut rng).await;
    superuser.batch_execute("INSERT INTO rowcast.memberships VALUES ('witness', NULL, 'none')").await.unwrap();
    superuser.batch_execute("SELECT rowcast.emit('document_processing', NULL, '{\"last\": 1}')").await.unwrap();
    let server = Server::start_with(&db, &[("ROWCAST_COMMANDS_PER_MINUTE", "10000")]).await;
    let last: i64 = superuser.query_one("SELECT last_value FROM rowcast.outbox_id_seq", &[]).await.unwrap().get(0);
    eventually("the last event", async || delivered(&server, "witness", "").await.contains_key(&last).then_some(()))
        .await;
    let (yes, no) = compare(&server, &reader, EVENTS + 1).await;
    assert!(yes > 20 && no > 20, "{yes} delivered and {no} not were hardly a test");

    // The same with the app's own tables, and all that was granted gone.
    let own = "SELECT rowcast.use_grants('SELECT who AS user_id, team AS organization_id, nullif(may, ''none'') AS permission FROM public.staff',
                                         '{\"public.staff\": \"r.who\"}')";
    superuser.batch_execute(&format!("GRANT SELECT ON public.staff TO {}", Role::Owner.name())).await.unwrap();
    superuser.batch_execute(own).await.unwrap();
    grant(&superuser, &mut rng, "INSERT INTO public.staff VALUES ($1, $2, $3)").await;
    superuser.batch_execute("INSERT INTO public.staff VALUES ('witness', NULL, 'none')").await.unwrap();
    superuser.batch_execute("SELECT rowcast.emit('document_processing', NULL, '{\"last\": 2}')").await.unwrap();
    let last: i64 = superuser.query_one("SELECT last_value FROM rowcast.outbox_id_seq", &[]).await.unwrap().get(0);
    eventually("the last event", async || delivered(&server, "witness", "").await.contains_key(&last).then_some(()))
        .await;
    let (yes, no) = compare(&server, &reader, EVENTS + 2).await;
    assert!(yes > 20 && no > 20, "{yes} delivered and {no} not were hardly a test");
    let known: BTreeSet<String> = reader
        .query("SELECT DISTINCT user_id FROM rowcast.grants", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(known.contains("witness") && !known.contains("stranger"));
    server.stop().await;
}
