//! Ids that are missing: an open writer keeps only its own undecided, however long it is open, and what was decided once is not read again.

use super::*;

/// Transactions of one event each, every other of them rolled back.
async fn commits_and_rollbacks(client: &Client, pairs: u32) {
    let statement = format!(
        "DO $$ BEGIN
             FOR i IN 1..{pairs} LOOP
                 PERFORM rowcast.emit('document_processing', 'o1', '{{}}'); ROLLBACK;
                 PERFORM rowcast.emit('document_processing', 'o1', '{{}}'); COMMIT;
             END LOOP;
         END $$"
    );
    execute(client, &statement).await;
}

/// Draws ids that nobody writes.
async fn skip_ids(db: &Database, ids: u32) {
    let admin = db.connect_as(Role::Superuser).await;
    let skip = format!("SELECT count(nextval('rowcast.outbox_id_seq')) FROM generate_series(1, {ids})");
    execute(&admin, &skip).await;
}

/// Steps until nothing is missing above `id`, and returns what was read meanwhile.
async fn decide_above(tailer: &mut Stepped, id: i64) -> Vec<i64> {
    let mut read = Vec::new();
    eventually("what is missing to be decided", async || {
        read.extend(tailer.read().await);
        let (cursor, _) = tailer.log.head();
        cursor.missing_up_to(cursor.high()).all(|(_, last)| last <= id).then_some(())
    })
    .await;
    read
}

/// What the database remembers as undecided.
async fn undecided(admin: &Client) -> String {
    admin.query_one("SELECT undecided::text FROM rowcast.settled", &[]).await.unwrap().get(0)
}

/// Steps until it is remembered that only these ids are undecided.
async fn store(tailer: &mut Stepped, db: &Database, expected: &str) {
    let admin = db.connect().await;
    eventually("what is settled to be stored", async || {
        tailer.read().await;
        (undecided(&admin).await == expected).then_some(())
    })
    .await;
}

/// Whether every id of an open transaction is in its windows, and how many locks it holds.
async fn locks_around(client: &Client, db: &Database, ids: &[i64]) -> i64 {
    let database = postgres::Database::new(&db.url_as(Role::Server), 1).unwrap();
    let writers = outbox::read_writers(&database.connection().await.unwrap(), false).await.unwrap();
    assert_eq!(writers.running.len(), 1, "only one transaction is open");
    let windows = &writers.running[0].windows;
    let outside = ids.iter().find(|id| !windows.iter().any(|(first, last)| (first..=last).contains(id)));
    assert_eq!(outside, None, "an id outside of the windows {windows:?}");
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
    client.query_one(locks, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_writer_that_stays_open_keeps_only_its_own_ids_undecided() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let (open, busy) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    execute(&open, "BEGIN").await;
    let of_open = emit(&open).await;
    commits_and_rollbacks(&busy, 600).await;
    // Two blocks of 256.
    let window_end = 511;
    assert_eq!(decide_above(&mut tailer, window_end).await.len(), 600);
    let gaps = tailer.log.head().0.missing_up_to(window_end).count();
    assert!(gaps > 200, "the others rolled back inside of its window, too");
    let text: Cursor = tailer.cursor().parse().unwrap();
    assert_eq!(text.missing_up_to(text.high()).count(), 64);
    assert!(text.contains(window_end + 1), "its text keeps to the window");
    execute(&open, "COMMIT").await;
    assert_eq!(tailer.read().await, [of_open]);
    assert_eq!(tailer.settle().await, "1201");
}

#[tokio::test]
async fn a_second_statement_of_an_open_writer_opens_a_second_window_and_no_more() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let (open, busy) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    execute(&open, "BEGIN").await;
    let first = emit(&open).await;
    skip_ids(&db, 5_000).await;
    let second = emit(&open).await;
    skip_ids(&db, 5_000).await;
    let last = emit(&busy).await;
    assert_eq!(decide_above(&mut tailer, second + 512).await, [last]);
    let missing: Vec<_> = tailer.log.head().0.missing_up_to(last).collect();
    assert_eq!(missing.len(), 2, "{missing:?}");
    assert!(missing[0].0 <= first && missing[0].1 < 512 && missing[1].0 <= second && second <= missing[1].1);
    execute(&open, "COMMIT").await;
    assert_eq!(tailer.read().await, [first, second]);
}

#[tokio::test]
async fn who_only_announces_a_change_of_access_keeps_nothing_undecided() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let (announcer, busy) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    execute(&announcer, "BEGIN; SELECT rowcast.announce_access_change('{ada}', 'a test')").await;
    commits_and_rollbacks(&busy, 3).await;
    decide_above(&mut tailer, 0).await;
    assert_eq!(tailer.cursor(), "6");
    execute(&announcer, "COMMIT").await;
}

/// What an older rowcast generated marks the transaction and draws, and nothing tells which ids.
#[tokio::test]
async fn a_writer_without_windows_may_own_any_id() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let (old, quick) = (db.connect_as(Role::Superuser).await, db.connect_as(Role::Writer).await);
    execute(&old, "BEGIN; SELECT rowcast.emit('document_processing', 'o1', '{}'), rowcast.mark_writer()").await;
    skip_ids(&db, 5_000).await;
    let insert = "INSERT INTO rowcast.outbox (id, event_type, audience, operation, data)
        VALUES (nextval('rowcast.outbox_id_seq'), 'document_processing', 'platform', 'EMIT', '{}') RETURNING id";
    let of_old: i64 = old.query_one(insert, &[]).await.unwrap().get(0);
    let last = emit(&quick).await;
    for _ in 0..20 {
        tailer.read().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(tailer.cursor(), format!("{last}~1-{}", last - 1));
    execute(&old, "COMMIT").await;
    assert_eq!(tailer.read().await, [1, of_old]);
}

#[tokio::test]
async fn a_transaction_of_thousands_of_statements_holds_a_few_dozen_locks() {
    let db = Database::new().await;
    let client = db.connect_as(Role::Superuser).await;
    // Others draw a thousand ids between any two of its statements.
    execute(
        &client,
        "BEGIN;
         DO $$ BEGIN
             FOR i IN 1..3000 LOOP
                 PERFORM setval('rowcast.outbox_id_seq', rowcast.emit('document_processing', 'o1', '{}') + 1000);
             END LOOP;
         END $$",
    )
    .await;
    let ids: Vec<i64> =
        client.query("SELECT id FROM rowcast.outbox", &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(ids.len(), 3_000);
    let locks = locks_around(&client, &db, &ids).await;
    assert!((10..120).contains(&locks), "{locks} locks");
    execute(&client, "ROLLBACK").await;
}

/// Each row is described by an expression that takes so long that others draw hundreds of ids meanwhile.
#[tokio::test]
async fn rows_beyond_the_window_draw_again_and_keep_their_order() {
    let db = Database::new().await;
    let (owner, admin) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Superuser).await);
    execute(
        &admin,
        "CREATE FUNCTION public.slowly(text) RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
         BEGIN
             PERFORM setval('rowcast.outbox_id_seq', nextval('rowcast.outbox_id_seq') + 200);
             RETURN $1;
         END $$",
    )
    .await;
    execute(
        &owner,
        "CREATE TABLE items (id int PRIMARY KEY, organization text);
         SELECT rowcast.attach('items', 'document_processing', organization_id => 'public.slowly(r.organization)');
         BEGIN; INSERT INTO items SELECT n, 'o1' FROM generate_series(1, 50) n; UPDATE items SET organization = 'o2'",
    )
    .await;
    let rows = admin.query("SELECT id, source_key::int FROM rowcast.outbox ORDER BY id", &[]).await.unwrap();
    assert!(rows.is_empty(), "nothing is committed");
    execute(
        &owner,
        "SAVEPOINT here; INSERT INTO items VALUES (51, 'o1'); ROLLBACK TO here; INSERT INTO items VALUES (52, 'o1')",
    )
    .await;
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint > 1919907683";
    let windows: i64 = admin.query_one(held, &[]).await.unwrap().get(0);
    assert!(windows > 10, "the ids went past {windows} windows");
    let database = postgres::Database::new(&db.url_as(Role::Server), 1).unwrap();
    let writers = outbox::read_writers(&database.connection().await.unwrap(), false).await.unwrap();
    execute(&owner, "COMMIT").await;
    let rows = admin.query("SELECT id, operation, source_key::int FROM rowcast.outbox ORDER BY id", &[]).await.unwrap();
    let told: Vec<(&str, i32)> = rows.iter().map(|row| (row.get(1), row.get(2))).collect();
    let (deleted, inserted) = ((1..=50).map(|key| ("DELETE", key)), |keys| (1..=keys).map(|key| ("INSERT", key)));
    let expected: Vec<_> = inserted(50).chain(deleted).chain(inserted(50)).chain([("INSERT", 52)]).collect();
    assert_eq!(told, expected);
    for row in &rows {
        let id: i64 = row.get(0);
        let is_inside = writers.running[0].windows.iter().any(|(first, last)| (first..=last).contains(&&id));
        assert!(is_inside, "{id} is outside of {:?}", writers.running[0].windows);
    }
    let mut tailer = Stepped::new(&db).await;
    assert_eq!(tailer.read().await, rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_start_beside_an_old_writer_reads_its_ids_and_nothing_else_of_that_time() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let (open, quick) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    execute(&open, "BEGIN").await;
    let of_open = emit(&open).await;
    skip_ids(&db, 1_000).await;
    let of_that_time = emit(&quick).await;
    skip_ids(&db, 20_000).await;
    let recent = emit(&quick).await;
    assert_eq!(decide_above(&mut tailer, 511).await, [of_that_time, recent]);
    store(&mut tailer, &db, &format!("{{[1,512),[{},)}}", recent + 1)).await;
    let floor: i64 = settled(&db.connect().await).await;
    assert_eq!(floor, 0);
    execute(&quick, "BEGIN").await;
    let in_flight = emit(&quick).await;
    let mut another = Stepped::new(&db).await;
    assert_eq!(
        another.read().await,
        [recent],
        "for clients who come back; what was decided long ago is not read again"
    );
    let cursor: Cursor = another.cursor().parse().unwrap();
    assert!(cursor.contains(of_that_time) && !cursor.contains(of_open) && !cursor.contains(in_flight));
    execute(&open, "COMMIT").await;
    execute(&quick, "COMMIT").await;
    assert_eq!(another.read().await, [of_open, in_flight]);
}

/// What is settled now says nothing about a snapshot that was taken before: it sees what had been settled by then.
#[tokio::test]
async fn the_cursor_of_an_old_snapshot_claims_nothing_that_was_committed_since() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let (open, quick, reader) =
        (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await, db.connect_as(Role::Reader).await);
    execute(&open, "BEGIN").await;
    let of_open = emit(&open).await;
    let before = emit(&quick).await;
    execute(&reader, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT count(*) FROM rowcast.outbox").await;
    execute(&open, "COMMIT").await;
    let after = emit(&quick).await;
    assert_eq!(tailer.read().await, [of_open, before, after]);
    store(&mut tailer, &db, &format!("{{[{},)}}", after + 1)).await;
    let cursor = async |client: &Client| -> String {
        client.query_one("SELECT rowcast.current_cursor()", &[]).await.unwrap().get(0)
    };
    assert_eq!(cursor(&reader).await, format!("{before}~{of_open}"), "as of its snapshot");
    execute(&reader, "COMMIT").await;
    assert_eq!(cursor(&reader).await, after.to_string());
}
