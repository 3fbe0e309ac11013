//! Tickets: one use, and then again only for whom comes back; on any server, until the token ends, or its user is disconnected.

use std::time::Duration;

use rowcast::{access::token::sign, http::answers::TicketAnswer};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_postgres::error::SqlState;

use crate::{
    documents::prepare,
    drain::stuck,
    harness::{Database, PATIENCE, Role, SECRET, Server, eventually, sse, token},
    tokens::{Answer, request, with_ann},
};

const TICKET: &str = "/api/v1/realtime/ticket";
const STREAM: &str = "/api/v1/realtime/sse";

async fn issue(server: &Server, token: &str) -> Value {
    let answer = request(server, "POST", TICKET, &format!("Authorization: Bearer {token}\r\n")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.head.to_ascii_lowercase().contains("cache-control: no-store\r\n"), "{}", answer.head);
    // What clients are told to expect, to the letter.
    let issued = serde_json::from_value::<TicketAnswer>(answer.json()).unwrap();
    assert!(issued.success);
    answer.json()
}

async fn ticket(server: &Server, token: &str) -> String {
    issue(server, token).await["ticket"].as_str().unwrap().to_owned()
}

/// Opens a stream as a browser's EventSource does: no header but that of one that comes back.
async fn open(server: &Server, ticket: &str, last_event_id: Option<&str>) -> sse::Client {
    let header = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
    let headers = format!("Accept: text/event-stream\r\n{header}");
    sse::Client::request(&server.url(), "GET", &format!("{STREAM}?ticket={ticket}"), &headers, "").await
}

async fn is_open(mut stream: sse::Client) -> String {
    let status = stream.status;
    let connected = stream.next_event().await.unwrap();
    assert_eq!((status, &connected.json()["data"]["status"]), (200, &json!("connected")), "{}", connected.data);
    connected.id.unwrap()
}

async fn is_refused(mut stream: sse::Client, ticket: &str) {
    // A stream would not end.
    assert_eq!(stream.status, 401, "{}", stream.head);
    let body = stream.rest().await;
    let answer = Answer { status: stream.status, head: stream.head.clone(), body };
    answer.is_refusal(401, "invalid_ticket", &[ticket]);
}

#[tokio::test]
async fn a_ticket_opens_one_stream_which_comes_back_to_any_server() {
    let db = with_ann().await;
    let servers = [Server::start(&db).await, Server::start(&db).await];
    let writer = db.connect_as(Role::Writer).await;
    let emit = "SELECT rowcast.emit('document_processing', 'o1', '{}')";
    let issued = issue(&servers[0], &token("ann")).await;
    let ticket = issued["ticket"].as_str().unwrap();
    let times =
        ["expiresAt", "firstUseBefore"].map(|name| issued[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap());
    let from_now = times.map(|time| time.duration_since(jiff::Timestamp::now()).as_secs());
    assert!((3_590..=3_600).contains(&from_now[0]) && (20..=30).contains(&from_now[1]), "{issued}");
    assert_eq!((issued["success"].as_bool(), issued.as_object().unwrap().len()), (Some(true), 4), "{issued}");

    let mut stream = open(&servers[1], ticket, None).await;
    assert_eq!(stream.next_of("connection_status").await.json()["data"]["status"], "connected");
    writer.batch_execute(emit).await.unwrap();
    let cursor = stream.next_of("document_processing").await.id.unwrap();
    // A second one with the same address, as somebody has who finds it in a log.
    for server in &servers {
        is_refused(open(server, ticket, None).await, ticket).await;
        is_refused(open(server, ticket, Some("")).await, ticket).await;
    }
    drop(stream);
    writer.batch_execute(emit).await.unwrap();
    for server in servers.iter().cycle().take(4) {
        let mut stream = open(server, ticket, Some(&cursor)).await;
        assert_eq!(stream.status, 200);
        let event = stream.next_of("document_processing").await;
        assert_ne!(event.id.unwrap(), cursor, "what it missed, and nothing again");
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_first_uses_at_once_exactly_one_wins() {
    let db = with_ann().await;
    let servers = [Server::start(&db).await, Server::start(&db).await];
    for round in 0..10 {
        let ticket = ticket(&servers[0], &token("ann")).await;
        let mut uses = JoinSet::new();
        for n in 0..12 {
            let (url, target) = (servers[n % 2].url(), format!("{STREAM}?ticket={ticket}"));
            uses.spawn(async move { sse::Client::request(&url, "GET", &target, "", "").await.status });
        }
        let mut statuses = uses.join_all().await;
        statuses.sort_unstable();
        assert_eq!((statuses[0], statuses[1]), (200, 401), "round {round}: {statuses:?}");
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_ticket_waits_half_a_minute_by_the_clock_of_the_database() {
    let db = with_ann().await;
    let server = Server::start(&db).await;
    let owner = db.connect().await;
    let [early, late] = [ticket(&server, &token("ann")).await, ticket(&server, &token("ann")).await];
    owner.batch_execute("UPDATE rowcast.tickets SET issued_at = issued_at - interval '20 s'").await.unwrap();
    is_open(open(&server, &early, None).await).await;
    owner.batch_execute("UPDATE rowcast.tickets SET issued_at = issued_at - interval '11 s'").await.unwrap();
    is_refused(open(&server, &late, None).await, &late).await;
    is_refused(open(&server, &late, Some("1")).await, &late).await;
    is_open(open(&server, &early, Some("0")).await).await;
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_ends_with_its_token_and_so_does_its_stream() {
    let db = with_ann().await;
    let server = Server::start(&db).await;
    let ticket = ticket(&server, &sign(SECRET, "ann", Duration::from_secs(3)).unwrap()).await;
    let mut stream = open(&server, &ticket, None).await;
    assert_eq!(stream.next_of("connection_status").await.json()["data"]["status"], "connected");
    assert_eq!(stream.next_of("connection_status").await.json()["data"]["status"], "token_expiring");
    let last = stream.next_of("connection_status").await.json();
    assert_eq!(last["data"], json!({"status": "closing", "reason": "token_expired"}));
    is_refused(open(&server, &ticket, Some("0")).await, &ticket).await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_ticket_is_refused_without_a_look_at_the_database() {
    let db = with_ann().await;
    let server = Server::start(&db).await;
    let good = ticket(&server, &token("ann")).await;
    for bad in ["", "%00", "'%20OR%201=1--", &good[1..], &format!("{good}0"), &good.to_uppercase(), &"0".repeat(64)] {
        is_refused(open(&server, bad, None).await, bad).await;
        is_refused(open(&server, bad, Some("0")).await, bad).await;
    }
    let twice = request(&server, "GET", &format!("{STREAM}?ticket={good}&ticket={good}"), "").await;
    twice.is_refusal(400, "invalid_query", &[&good]);
    // It is no token, and leads to no other ticket.
    let bearer = request(&server, "GET", STREAM, &format!("Authorization: Bearer {good}\r\n")).await;
    bearer.is_refusal(401, "invalid_token", &[&good]);
    let another = request(&server, "POST", &format!("{TICKET}?ticket={good}"), "").await;
    another.is_refusal(401, "token_required", &[&good]);
    request(&server, "POST", TICKET, "").await.is_refusal(401, "token_required", &[]);
    for method in ["GET", "PUT", "DELETE"] {
        let answer = request(&server, method, TICKET, "").await;
        answer.is_refusal(405, "method_not_allowed", &[]);
        assert!(answer.head.to_ascii_lowercase().contains("allow: post\r\n"), "{}", answer.head);
    }
    // None of it has used it up.
    is_open(open(&server, &good, None).await).await;
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_is_for_its_user_whose_access_is_that_of_now() {
    let db = with_ann().await;
    let server = Server::start(&db).await;
    let ticket = ticket(&server, &token("ann")).await;
    let cursor = is_open(open(&server, &ticket, None).await).await;
    db.connect().await.batch_execute("DELETE FROM rowcast.memberships").await.unwrap();
    eventually("the revocation to be known", async || {
        let mut stream = open(&server, &ticket, Some(&cursor)).await;
        (stream.status == 403 && stream.rest().await.contains("not_a_member")).then_some(())
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_ready_does_not_use_a_ticket_up() {
    let db = Database::new().await;
    prepare(&db).await;
    let (stays, mut leaves) = (Server::start(&db).await, Server::start(&db).await);
    let ticket = ticket(&leaves, &token("cleo")).await;
    let stuck = stuck(&db, &leaves).await;
    leaves.signal("TERM");
    eventually("the server to leave", async || (!leaves.is_ready().await).then_some(())).await;
    let mut sent_away = open(&leaves, &ticket, None).await;
    let body = sent_away.rest().await;
    assert!(sent_away.status == 200 && body.contains(r#""reason":"unavailable""#), "{body}");
    // What cannot be a ticket is told so at once.
    is_refused(open(&leaves, "nonsense", None).await, "nonsense").await;
    let refused = request(&leaves, "POST", TICKET, &format!("Authorization: Bearer {}\r\n", token("cleo"))).await;
    refused.is_refusal(503, "not_ready", &[]);
    assert!(refused.head.to_ascii_lowercase().contains("retry-after: "), "{}", refused.head);
    is_open(open(&stays, &ticket, None).await).await;
    drop(stuck);
    leaves.wait_for_end().await;
    stays.stop().await;
}

#[tokio::test]
async fn who_is_disconnected_does_not_come_back_with_a_ticket() {
    let db = with_ann().await;
    let owner = db.connect().await;
    owner.batch_execute("INSERT INTO rowcast.memberships VALUES ('ben', 'o1', 'member')").await.unwrap();
    let server = Server::start(&db).await;
    let [used, unused] = [ticket(&server, &token("ann")).await, ticket(&server, &token("ann")).await];
    let of_ben = ticket(&server, &token("ben")).await;
    let mut stream = open(&server, &used, None).await;
    stream.next_of("connection_status").await;
    db.connect_as(Role::Server).await.batch_execute("SELECT rowcast.disconnect('ann')").await.unwrap();
    let last = stream.next_of("connection_status").await.json();
    assert_eq!(last["data"], json!({"status": "closing", "reason": "disconnected"}));
    is_refused(open(&server, &used, Some("0")).await, &used).await;
    is_refused(open(&server, &unused, None).await, &unused).await;
    is_open(open(&server, &of_ben, None).await).await;
    // A transaction that has not said yet whether it disconnects somebody holds nobody up for long.
    let held = ticket(&server, &token("ann")).await;
    owner.batch_execute("BEGIN; SELECT rowcast.disconnect('ann')").await.unwrap();
    let waiting = tokio::time::timeout(PATIENCE / 2, async { open(&server, &held, None).await.rest().await });
    assert!(waiting.await.expect("it waits").contains(r#""reason":"unavailable""#));
    owner.batch_execute("ROLLBACK").await.unwrap();
    is_open(open(&server, &held, None).await).await;
    server.stop().await;
}

#[tokio::test]
async fn tickets_are_stored_hashed_and_nobody_gets_at_them() {
    let db = with_ann().await;
    let server = Server::start(&db).await;
    let ticket = ticket(&server, &token("ann")).await;
    server.stop().await;
    let owner = db.connect().await;
    let look = "SELECT t::text, sha256($1) = hash FROM rowcast.tickets t";
    let stored = owner.query_one(look, &[&ticket.as_bytes()]).await.unwrap();
    assert!(stored.get::<_, bool>(1), "a hash of what was sent");
    assert!(!stored.get::<_, String>(0).contains(&ticket));
    for role in [Role::Server, Role::Reader, Role::Writer, Role::App] {
        let client = db.connect_as(role).await;
        for statement in [
            "SELECT hash FROM rowcast.tickets",
            "SELECT * FROM rowcast.tickets",
            "DELETE FROM rowcast.tickets",
            "UPDATE rowcast.tickets SET used_at = NULL",
            "INSERT INTO rowcast.tickets (hash, user_id, expires_at) VALUES (sha256('x'), 'ann', 'infinity')",
            "SELECT rowcast.prune_tickets()",
        ] {
            let refused = client.batch_execute(statement).await.unwrap_err();
            assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{role:?}: {statement}");
        }
        let make = "SELECT rowcast.issue_ticket(sha256('x'), 'ann', now() + interval '1 h')";
        let forged = client.batch_execute(make).await;
        assert_eq!(forged.is_ok(), role == Role::Server, "{role:?}");
        let seen = client.batch_execute("SELECT user_id, expires_at, issued_at, used_at FROM rowcast.tickets").await;
        assert_eq!(seen.is_ok(), role == Role::Reader, "{role:?}");
    }
    let persistence: String = owner
        .query_one("SELECT relpersistence::text FROM pg_class WHERE oid = 'rowcast.tickets'::regclass", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(persistence, "p", "a failover must not log everybody out");
}

#[tokio::test]
async fn tickets_that_are_over_are_pruned_whoever_holds_others() {
    let db = Database::new().await;
    let owner = db.connect().await;
    owner
        .batch_execute(
            "INSERT INTO rowcast.tickets (hash, user_id, expires_at, issued_at, used_at) VALUES
                (sha256('expired'),  'ann', now() - interval '1 s', now() - interval '1 h', now()),
                (sha256('unused'),   'ann', now() + interval '1 h', now() - interval '31 s', NULL),
                (sha256('held'),     'ben', now() - interval '1 s', now() - interval '1 h', now()),
                (sha256('used'),     'ann', now() + interval '1 h', now() - interval '1 h', now() - interval '1 h'),
                (sha256('new'),      'ann', now() + interval '1 h', now(), NULL)",
        )
        .await
        .unwrap();
    let holder = db.connect().await;
    holder.batch_execute("BEGIN; SELECT rowcast.disconnect('ben')").await.unwrap();
    let left = async || {
        owner.batch_execute("SELECT * FROM rowcast.maintain()").await.unwrap();
        let left = "SELECT n FROM unnest('{expired,unused,held,used,new}'::text[]) n
            WHERE sha256(n::bytea) IN (SELECT hash FROM rowcast.tickets) ORDER BY 1";
        owner.query(left, &[]).await.unwrap().iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    eventually("what is over to go", async || (left().await == ["held", "new", "used"]).then_some(())).await;
    holder.batch_execute("ROLLBACK").await.unwrap();
    eventually("the last of it to go", async || (left().await == ["new", "used"]).then_some(())).await;
}
