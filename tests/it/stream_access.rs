//! Replay judges by grants that were read before its pages were. That leaks nothing, because it sends only what the tailer has published, and whatever took
//! access away before such an event was committed has been applied by then. And what gives access counts for the first event after it, wherever a client is just reading.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use rowcast::{
    connections::Connection,
    cursor::Cursor,
    session::{self, Ask, Resume, Session},
};
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::harness::{
    self, Database, Role, Server, sse,
    stepped::{Stepped, terms},
};

/// Emits an event with this text in its payload, and so many bytes.
async fn emit(client: &Client, organization: &str, text: &str, bytes: i32) {
    let emit = "SELECT rowcast.emit('document_processing', $1, jsonb_build_object('text', $2::text, 'filling', repeat('x', $3)))";
    client.execute(emit, &[&organization, &text, &bytes]).await.unwrap();
}

#[tokio::test]
async fn what_the_log_has_not_seen_is_not_replayed() {
    let db = Database::new().await;
    let (admin, writer) = (db.connect().await, db.connect_as(Role::Writer).await);
    admin
        .batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member'), ('ann', 'o2', 'member')")
        .await
        .unwrap();
    let mut server = Stepped::new(&db).await;
    for n in 0..10 {
        emit(&writer, "o1", &format!("before{n}"), 1_000).await;
        server.step().await;
    }
    let said = server.replay("ann").await;
    assert!((0..10).all(|n| said.contains(&format!("before{n}"))), "{said}");

    // Ids that are lower than what the log has seen, of a transaction that it has not.
    let slow = db.connect_as(Role::Writer).await;
    slow.batch_execute("BEGIN").await.unwrap();
    emit(&slow, "o1", "secret", 10).await;
    emit(&slow, "o2", "for ann", 10).await;
    for n in 0..10 {
        emit(&writer, "o1", &format!("meanwhile{n}"), 1_000).await;
        server.step().await;
    }
    let revoke = "DELETE FROM rowcast.memberships WHERE user_id = 'ann' AND organization_id = 'o1'";
    admin.batch_execute(revoke).await.unwrap();
    slow.batch_execute("COMMIT").await.unwrap();
    let pages = server.sessions.metrics.outbox_scans.get();
    let said = server.replay("ann").await;
    assert!(server.sessions.metrics.outbox_scans.get() > pages, "it was not served from the outbox");
    assert!(said.contains("meanwhile9"), "by the grants that the log goes by, ann may see it: {said}");
    assert!(!said.contains("secret") && !said.contains("for ann"), "{said}");

    server.step().await;
    let said = server.replay("ann").await;
    assert!(said.contains("for ann"), "{said}");
    assert!(!["secret", "before", "meanwhile"].iter().any(|text| said.contains(text)), "{said}");
}

/// Runs up to where it has to wait for the first time, as for a page of history.
async fn begun<F: Future>(mut running: Pin<&mut F>) {
    let waits = poll_fn(|context| Poll::Ready(running.as_mut().poll(context).is_pending())).await;
    assert!(waits, "it did not wait for anything");
}

/// A server whose log is beyond what somebody lacks who comes from the beginning, and ann, who may see nothing of it.
async fn in_the_outbox(db: &Database) -> (Stepped, Client, Client) {
    let (admin, writer) = (db.connect().await, db.connect_as(Role::Writer).await);
    admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
    let mut server = Stepped::new(db).await;
    for _ in 0..10 {
        emit(&writer, "of somebody else", "filling", 1_000).await;
        server.step().await;
    }
    (server, admin, writer)
}

/// Lets ann into another organization, and something happens there.
async fn let_in(server: &mut Stepped, admin: &Client, writer: &Client) {
    admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o2', 'member')").await.unwrap();
    emit(writer, "o2", "for ann", 10).await;
    server.step().await;
}

#[tokio::test]
async fn a_poll_that_reads_history_gets_what_is_committed_after_a_grant() {
    let db = Database::new().await;
    let (mut server, admin, writer) = in_the_outbox(&db).await;
    let sessions = Arc::clone(&server.sessions);
    let viewer = sessions.access.viewer("ann").await.unwrap();
    let resume = Resume::After(Cursor::default());
    let ask = Ask { wait: Duration::from_secs(5), limit: 100 };
    let mut poll = pin!(session::poll(sessions, viewer, terms(), &resume, ask));
    begun(poll.as_mut()).await;
    let_in(&mut server, &admin, &writer).await;
    let answer = poll.await.unwrap();
    let said: Vec<_> = answer.events.iter().map(|event| std::str::from_utf8(event).unwrap()).collect();
    assert!(matches!(&*said, [event] if event.contains("for ann")), "{said:?}, and the cursor {}", answer.cursor);
}

#[tokio::test]
async fn a_stream_that_reads_history_gets_what_is_committed_after_a_grant() {
    let db = Database::new().await;
    let (mut server, admin, writer) = in_the_outbox(&db).await;
    let mut session = server.open("ann").await;
    // Connected, and degraded: the test's tailer is not one that says it has caught up.
    for _ in 0..2 {
        session.next().await.unwrap();
    }
    let mut said = {
        let mut next = pin!(session.next());
        begun(next.as_mut()).await;
        let_in(&mut server, &admin, &writer).await;
        next.await.unwrap().to_vec()
    };
    while !said.windows(13).any(|window| window == b"event: cursor") {
        said.extend(session.next().await.unwrap());
    }
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("access_changed") && said.contains("for ann"), "{said}");
}

#[tokio::test]
async fn who_loses_the_last_grant_while_a_stream_is_opened_is_sent_away() {
    let db = Database::new().await;
    let (mut server, admin, _) = in_the_outbox(&db).await;
    let viewer = server.sessions.access.viewer("ann").await.unwrap();
    let connection = Connection::new(viewer, terms(), &server.sessions.access);
    let entered = server.directory.enter(connection).await.unwrap_or_else(|_| panic!("the stream was refused"));
    admin.batch_execute("DELETE FROM rowcast.memberships WHERE user_id = 'ann'").await.unwrap();
    server.step().await;
    let mut session = Session::open(Arc::clone(&server.sessions), entered, &Resume::Head);
    let said = [session.next().await.unwrap(), session.next().await.unwrap()].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("access_revoked"), "{said}");
    assert!(session.next().await.is_none(), "the stream goes on");
}

#[tokio::test]
async fn nothing_committed_after_a_revocation_is_replayed_whenever_one_comes() {
    const ORGANIZATIONS: i64 = 30;
    let db = Database::new().await;
    let (admin, writer) = (db.connect().await, db.connect_as(Role::Writer).await);
    let join = "INSERT INTO rowcast.memberships SELECT 'ann', 'o' || n, 'member' FROM generate_series(0, $1::bigint) n";
    admin.execute(join, &[&ORGANIZATIONS]).await.unwrap();
    let server = Server::start_with(&db, &[("ROWCAST_LOG_MIB", "1")]).await;
    for _ in 0..30 {
        emit(&writer, "of somebody else", "filling", 60_000).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let mut replays = JoinSet::new();
    for _ in 0..3 {
        replays.spawn(replay_until(Arc::clone(&done), server.url()));
    }
    for n in 0..ORGANIZATIONS {
        let organization = format!("o{n}");
        emit(&writer, &organization, "before", 10).await;
        let leave = "DELETE FROM rowcast.memberships WHERE user_id = 'ann' AND organization_id = $1";
        admin.execute(leave, &[&organization]).await.unwrap();
        emit(&writer, &organization, "secret", 10).await;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..20))).await;
    }
    done.store(true, Ordering::Relaxed);
    let polls: usize = replays.join_all().await.into_iter().sum();
    assert!(polls > 30, "{polls} polls were hardly a test");
    server.stop().await;
}

/// Reads everything from the beginning, again and again; how often.
async fn replay_until(done: Arc<AtomicBool>, url: String) -> usize {
    let headers = format!("Authorization: Bearer {}\r\n", harness::token("ann"));
    let mut polls = 0;
    while !done.load(Ordering::Relaxed) {
        let target = "/api/v1/realtime/events?after=0&wait=0&limit=1000";
        let mut answer = sse::Client::request(&url, "GET", target, &headers, "").await;
        let body = answer.rest().await;
        assert!(answer.status == 200 && !body.contains("secret"), "{body}");
        polls += 1;
    }
    polls
}
