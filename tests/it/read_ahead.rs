//! A page of history is read while the one before is written. Until it is handed out it counts for nothing: not for who may see it, and not for what is in it.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use rowcast::session::{self, Ask, Resume, Session};
use tokio_postgres::Client;

use crate::harness::{
    Database, Role, eventually,
    stepped::{Stepped, terms},
};

/// More than a client has to take before a page is read ahead for it, and several pages on top; turn by turn of two organizations.
const EVENTS: i64 = 1_000;

/// Longer than a page may wait to be handed out.
const OLD: Duration = Duration::from_millis(1_100);

/// A server whose log holds next to nothing of it, and ann, who is in one of the organizations.
async fn history(db: &Database) -> (Stepped, Client) {
    let (admin, writer) = (db.connect().await, db.connect_as(Role::Writer).await);
    admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o0', 'member')").await.unwrap();
    let emit = "SELECT rowcast.emit('document_processing', 'o' || n % 2, jsonb_build_object('text', repeat('x', 4000))) FROM generate_series(1, $1::bigint) n";
    writer.query(emit, &[&EVENTS]).await.unwrap();
    let mut server = Stepped::new(db).await;
    server.step().await;
    (server, admin)
}

fn pages(server: &Stepped) -> u64 {
    server.sessions.metrics.outbox_scans.get()
}

async fn next(session: &mut Session) -> String {
    String::from_utf8(session.next().await.unwrap().to_vec()).unwrap()
}

/// What is in a chunk, and its ids.
fn ids(chunk: &str) -> Vec<i64> {
    chunk.split("data: {\"id\":\"").skip(1).map(|event| event.split('"').next().unwrap().parse().unwrap()).collect()
}

/// A stream that has told so many pages, of these events, that the next one is read and waiting.
async fn with_a_page_waiting(server: &Stepped) -> (Session, Vec<i64>) {
    let mut session = server.open("ann").await;
    let (mut told, mut all) = (0, Vec::new());
    while pages(server) <= told {
        let ids = ids(&next(&mut session).await);
        // What it has to say of the server comes before.
        told += u64::from(!ids.is_empty());
        all.extend(ids);
        assert!(all.last() < Some(&EVENTS), "none is ever read ahead");
    }
    assert!(told > 1, "a client that has taken next to nothing may not be reading at all");
    // Its connection is back when it is all there.
    eventually("it to be there", async || (server.sessions.database.pool().available > 0).then_some(())).await;
    (session, all)
}

/// All that comes until the stream has nothing more to say but that it lives.
async fn rest(session: &mut Session) -> String {
    let mut said = String::new();
    while !said.contains("event: cursor") {
        said.push_str(&next(session).await);
    }
    said
}

#[tokio::test]
async fn what_waited_for_long_is_read_again_and_no_more_is_read_ahead() {
    let db = Database::new().await;
    let (server, admin) = history(&db).await;
    let (mut session, mut all) = with_a_page_waiting(&server).await;
    let read = pages(&server);
    let erased = all.last().unwrap() + 2;
    let erase = "UPDATE rowcast.outbox SET data = '{\"erased\": true}' WHERE id = $1";
    admin.execute(erase, &[&erased]).await.unwrap();
    tokio::time::sleep(OLD).await;
    let second = next(&mut session).await;
    assert_eq!(ids(&second)[0], erased, "the next event");
    assert!(second.split("\n\n").next().unwrap().contains("{\"erased\": true}"), "{}", &second[..400]);
    assert_eq!(pages(&server), read + 1, "who takes so long has no other page read ahead");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(pages(&server), read + 1);
    all.extend(ids(&second));
    all.extend(ids(&rest(&mut session).await));
    assert_eq!(all, (1..=EVENTS).filter(|id| id % 2 == 0).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_waits_is_not_for_who_may_not_see_it_any_more() {
    let db = Database::new().await;
    let (mut server, admin) = history(&db).await;
    let (mut session, _) = with_a_page_waiting(&server).await;
    admin.batch_execute("DELETE FROM rowcast.memberships").await.unwrap();
    server.step().await;
    let said = next(&mut session).await;
    assert!(said.contains("access_changed") && said.contains("access_revoked"), "{said}");
    assert_eq!(ids(&said), Vec::<i64>::new());
    assert!(session.next().await.is_none());
}

#[tokio::test]
async fn what_waits_is_not_all_for_who_may_see_more() {
    let db = Database::new().await;
    let (mut server, admin) = history(&db).await;
    let (mut session, told) = with_a_page_waiting(&server).await;
    admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
    server.step().await;
    let said = rest(&mut session).await;
    assert!(said.contains("access_changed"));
    assert_eq!(ids(&said), (told.last().unwrap() + 1..=EVENTS).collect::<Vec<_>>(), "of both organizations");
}

#[tokio::test]
async fn who_may_see_more_while_the_page_after_is_asked_for_misses_nothing_of_this_one() {
    let db = Database::new().await;
    let (mut server, admin) = history(&db).await;
    let (mut session, told) = with_a_page_waiting(&server).await;
    let mut said = {
        let mut said = pin!(session.next());
        assert!(
            poll_fn(|context| Poll::Ready(said.as_mut().poll(context).is_pending())).await,
            "the page after is not asked for before this one is told"
        );
        admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
        server.step().await;
        String::from_utf8(said.await.unwrap().to_vec()).unwrap()
    };
    said.push_str(&rest(&mut session).await);
    assert!(said.contains("access_changed"));
    assert_eq!(ids(&said), (told.last().unwrap() + 1..=EVENTS).collect::<Vec<_>>(), "of both organizations");
}

/// It may be done with the page that it gets.
#[tokio::test]
async fn nothing_is_read_ahead_for_a_poll() {
    let db = Database::new().await;
    let (server, _admin) = history(&db).await;
    let viewer = server.sessions.access.viewer("ann").await.unwrap();
    let ask = Ask { wait: Duration::ZERO, limit: 5 };
    let resume = Resume::After("0".parse().unwrap());
    let answer = session::poll(Arc::clone(&server.sessions), viewer, terms(), &resume, ask).await.unwrap();
    assert_eq!(answer.events.len(), 5);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(pages(&server), 1);
}
