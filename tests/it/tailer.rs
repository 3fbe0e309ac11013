//! The tailer against real transactions, step by step: what has committed is in the log, whatever else is open.

mod gaps;

use std::{sync::Arc, time::Duration};

use rowcast::{
    access::Access,
    cursor::Cursor,
    log::{Interest, Log, Position, Read},
    postgres::{self, outbox},
    tailer::Tailer,
};
use tokio_postgres::Client;

use crate::harness::{Database, Role, eventually};

/// A tailer that is stepped by hand, and a reader of its log.
struct Stepped {
    tailer: Tailer,
    connection: postgres::Connection,
    log: Arc<Log>,
    position: Position,
}

impl Stepped {
    async fn new(db: &Database) -> Self {
        let database = postgres::Database::new(&db.url_as(Role::Server), 4).unwrap();
        let access = Arc::new(Access::load(database.clone(), Arc::default()).await.unwrap());
        let others = (Arc::default(), Arc::default(), Arc::default());
        let tailer = Tailer::new(database.clone(), access, others.0, others.1, others.2, 16 << 20, None).await.unwrap();
        let log = tailer.log();
        Self { tailer, connection: database.connection().await.unwrap(), log, position: 0 }
    }

    /// Steps until there is no more to read now, and returns the ids that were new.
    async fn read(&mut self) -> Vec<i64> {
        while self.tailer.step(&self.connection).await.unwrap().more {}
        let Read::Entries { entries, position, .. } = self.log.read(self.position, &Interest::Everything, usize::MAX)
        else {
            panic!("the log is too small for this test");
        };
        self.position = position;
        entries.iter().map(|entry| entry.event.id).collect()
    }

    fn cursor(&self) -> String {
        self.log.head().0.to_string()
    }

    /// Steps until another floor is stored than this one; it is stored at most every so often.
    async fn stored_floor(&mut self, admin: &Client, former: i64) -> i64 {
        eventually("the settled floor to be stored", async || {
            self.read().await;
            let floor = settled(admin).await;
            (floor != former).then_some(floor)
        })
        .await
    }

    /// Steps until the cursor is a plain number, which it must become once nobody can fill a gap any more.
    async fn settle(&mut self) -> String {
        for _ in 0..200 {
            assert_eq!(self.read().await, [0_i64; 0], "nothing was committed");
            if !self.cursor().contains('~') {
                return self.cursor();
            }
            // Who writes is asked at most every so often.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the cursor keeps its gaps: {}", self.cursor());
    }
}

/// Emits an event and returns its id.
async fn emit(client: &Client) -> i64 {
    let emit = "SELECT rowcast.emit('document_processing', 'o1', '{}')";
    client.query_one(emit, &[]).await.unwrap().get(0)
}

async fn execute(client: &Client, statement: &str) {
    client.batch_execute(statement).await.unwrap();
}

#[tokio::test]
async fn commits_are_read_in_the_order_in_which_they_become_visible() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let (slow, quick) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    execute(&slow, "BEGIN").await;
    let first = emit(&slow).await;
    let second = emit(&quick).await;
    assert_eq!(tailer.read().await, [second], "an open transaction keeps nobody waiting");
    assert_eq!(tailer.cursor(), format!("{second}~{first}"));
    let third = emit(&quick).await;
    assert_eq!(tailer.read().await, [third]);
    execute(&slow, "COMMIT").await;
    assert_eq!(tailer.read().await, [first]);
    assert_eq!(tailer.cursor(), third.to_string());
}

#[tokio::test]
async fn what_commits_while_a_step_is_under_way_is_for_the_next() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let (owner, writer) = (db.connect_as(Role::Owner).await, db.connect_as(Role::Writer).await);
    assert!(tailer.read().await.is_empty());
    let before = emit(&writer).await;
    // What a step looks at first.
    execute(&owner, "BEGIN; LOCK TABLE rowcast.commands IN ACCESS EXCLUSIVE MODE").await;
    let meanwhile = async {
        eventually("the step to wait", async || {
            let waits = "SELECT FROM pg_locks WHERE relation = 'rowcast.commands'::regclass AND NOT granted";
            owner.query_opt(waits, &[]).await.unwrap()
        })
        .await;
        let after = emit(&writer).await;
        execute(&owner, "COMMIT").await;
        after
    };
    let (read, after) = tokio::join!(tailer.read(), meanwhile);
    assert_eq!(read, [before], "all of a step is read in one snapshot");
    assert_eq!(tailer.read().await, [after]);
}

#[tokio::test]
async fn a_step_says_how_many_transactions_it_has_found() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let admin = db.connect_as(Role::Owner).await;
    let mut found = async || tailer.tailer.step(&tailer.connection).await.unwrap().found;
    // What is there from the start.
    found().await;
    assert_eq!(found().await, 0);
    let emit = |rows: usize| {
        format!("SELECT rowcast.emit('document_processing', 'o1', '{{}}') FROM generate_series(1, {rows})")
    };
    execute(&admin, &emit(30)).await;
    assert_eq!(found().await, 1, "thirty rows of one");
    for _ in 0..12 {
        execute(&admin, &emit(2)).await;
    }
    assert_eq!(found().await, 12);
    execute(&admin, "INSERT INTO rowcast.memberships (user_id, organization_id, role) VALUES ('ann', 'o1', 'member')")
        .await;
    execute(&admin, "SELECT rowcast.disconnect('ben')").await;
    assert_eq!(found().await, 2, "a change of access, and a command");
    assert_eq!(found().await, 0);
}

#[tokio::test]
async fn rolled_back_ids_leave_the_cursor() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let (undecided, quick) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    execute(&undecided, "BEGIN").await;
    emit(&undecided).await;
    emit(&undecided).await;
    let committed = emit(&quick).await;
    assert_eq!(tailer.read().await, [committed]);
    for _ in 0..20 {
        tailer.read().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(tailer.cursor(), format!("{committed}~{}-{}", committed - 2, committed - 1), "never given up by time");
    execute(&undecided, "ROLLBACK").await;
    assert_eq!(tailer.settle().await, committed.to_string());
}

#[tokio::test]
async fn a_savepoint_that_is_rolled_back_takes_only_its_own() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let client = db.connect_as(Role::Writer).await;
    execute(&client, "BEGIN").await;
    let kept = emit(&client).await;
    execute(&client, "SAVEPOINT here").await;
    emit(&client).await;
    execute(&client, "ROLLBACK TO here").await;
    let last = emit(&client).await;
    assert!(tailer.read().await.is_empty());
    execute(&client, "COMMIT").await;
    assert_eq!(tailer.read().await, [kept, last]);
    assert_eq!(tailer.settle().await, last.to_string());
}

#[tokio::test]
async fn a_long_transaction_of_another_writer_keeps_no_gap_of_others_alive() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let (open, undecided, quick) =
        (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    execute(&undecided, "BEGIN").await;
    emit(&undecided).await;
    let first = emit(&quick).await;
    assert_eq!(tailer.read().await, [first]);
    execute(&undecided, "ROLLBACK").await;
    tailer.settle().await;
    // A transaction that began to write after the gap was decided is of no concern to it, and open for as long as it likes.
    execute(&open, "BEGIN").await;
    let of_open = emit(&open).await;
    execute(&undecided, "BEGIN").await;
    emit(&undecided).await;
    let second = emit(&quick).await;
    assert_eq!(tailer.read().await, [second]);
    execute(&undecided, "ROLLBACK").await;
    let third = emit(&quick).await;
    assert_eq!(tailer.read().await, [third]);
    execute(&open, "COMMIT").await;
    assert_eq!(tailer.read().await, [of_open]);
    assert_eq!(tailer.settle().await, third.to_string());
}

#[tokio::test]
async fn a_foreign_transaction_delays_nothing() {
    let db = Database::new().await;
    let elsewhere = Database::new().await;
    let foreign = elsewhere.connect().await;
    let bystander = db.connect().await;
    execute(&foreign, "BEGIN; SELECT pg_current_xact_id()").await;
    execute(&bystander, "BEGIN; SELECT pg_current_xact_id()").await;
    let mut tailer = Stepped::new(&db).await;
    let (undecided, quick) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    execute(&undecided, "BEGIN").await;
    emit(&undecided).await;
    let committed = emit(&quick).await;
    assert_eq!(tailer.read().await, [committed]);
    execute(&undecided, "ROLLBACK").await;
    assert_eq!(
        tailer.settle().await,
        committed.to_string(),
        "decided by the marks, as the oldest transaction is still open"
    );
    execute(&foreign, "ROLLBACK").await;
    execute(&bystander, "ROLLBACK").await;
}

#[tokio::test]
async fn a_start_amid_open_transactions_misses_none_of_them() {
    let db = Database::new().await;
    let (slow, quick) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    execute(&slow, "BEGIN").await;
    let first = emit(&slow).await;
    let second = emit(&quick).await;
    let mut tailer = Stepped::new(&db).await;
    assert_eq!(tailer.read().await, [second]);
    execute(&slow, "COMMIT").await;
    assert_eq!(tailer.read().await, [first]);
    let mut another = Stepped::new(&db).await;
    assert_eq!(another.read().await, [first, second]);
}

#[tokio::test]
async fn the_settled_floor_rises_only_over_what_is_decided() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let admin = db.connect().await;
    let (slow, quick) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    let decided = emit(&quick).await;
    execute(&slow, "BEGIN").await;
    emit(&slow).await;
    emit(&quick).await;
    // All three are behind the tailer when it stores the floor, so it is the open one that holds the floor down.
    assert_eq!(tailer.read().await.len(), 2);
    let floor = tailer.stored_floor(&admin, 0).await;
    assert_eq!(floor, decided);
    execute(&slow, "COMMIT").await;
    let last = emit(&quick).await;
    assert_eq!(tailer.read().await.len(), 2);
    assert_eq!(tailer.stored_floor(&admin, floor).await, last);
}

async fn settled(admin: &Client) -> i64 {
    admin.query_one("SELECT id FROM rowcast.settled", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_bulk_load_is_read_whole() {
    let db = Database::new().await;
    let mut tailer = Stepped::new(&db).await;
    let (slow, quick) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    execute(&slow, "BEGIN").await;
    let bulk = "SELECT count(rowcast.emit('document_processing', 'o1', '{}')) FROM generate_series(1, 5000)";
    slow.query_one(bulk, &[]).await.unwrap();
    let last = emit(&quick).await;
    assert_eq!(tailer.read().await, [last]);
    assert_eq!(tailer.cursor(), format!("{last}~{}-{}", last - 5_000, last - 1));
    execute(&slow, "COMMIT").await;
    // A gap this wide is looked into when a writer has ended, which is asked at most every so often.
    let mut late = Vec::new();
    for _ in 0..100 {
        late.extend(tailer.read().await);
        if late.len() >= 5_000 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(late, (last - 5_000..last).collect::<Vec<_>>());
    assert_eq!(tailer.cursor(), last.to_string());
}

/// Commits a bulk update whose ids were a gap, then updates one of its last rows again, and reads what is said of that row.
async fn versions_of_a_row_after_a_bulk_update(before_reading: Duration) -> Vec<i64> {
    let db = Database::new().await;
    let (bulk, quick) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    let prepare = "CREATE TABLE items (id int PRIMARY KEY, version int);
        SELECT rowcast.attach('items', 'document_processing', organization_id => '''o1''');
        INSERT INTO items SELECT n, 1 FROM generate_series(1, 5000) n";
    execute(&quick, prepare).await;
    let mut tailer = Stepped::new(&db).await;
    tailer.read().await;
    execute(&bulk, "BEGIN; UPDATE items SET version = 2").await;
    let head = emit(&quick).await;
    assert_eq!(tailer.read().await, [head]);
    // Until the gap's owner is known, and nobody looks into it any more.
    for _ in 0..20 {
        assert!(tailer.read().await.is_empty());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    execute(&bulk, "COMMIT").await;
    execute(&quick, "UPDATE items SET version = 3 WHERE id = 5000").await;
    tokio::time::sleep(before_reading).await;
    let ids = tailer.read().await;
    assert_eq!(ids.len(), 5_001);
    let admin = db.connect().await;
    let versions = "SELECT coalesce((data ->> 'version')::bigint, 0) FROM rowcast.outbox
        JOIN unnest($1::bigint[]) WITH ORDINALITY AS read (id, place) USING (id) WHERE source_key = '5000' ORDER BY place";
    admin.query(versions, &[&ids]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn what_is_written_on_top_of_a_bulk_update_comes_after_it() {
    assert_eq!(versions_of_a_row_after_a_bulk_update(Duration::ZERO).await, [2, 3], "before it is asked who writes");
    let asked_again = Duration::from_millis(100);
    assert_eq!(
        versions_of_a_row_after_a_bulk_update(asked_again).await,
        [2, 3],
        "when the gap is more than a step reads"
    );
}

#[tokio::test]
async fn the_cursor_for_load_then_stream_names_what_the_snapshot_cannot_see() {
    let db = Database::new().await;
    let (slow, quick, reader) =
        (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await, db.connect_as(Role::Reader).await);
    execute(&slow, "BEGIN").await;
    let first = emit(&slow).await;
    let second = emit(&quick).await;
    execute(&reader, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await;
    let cursor: String = reader.query_one("SELECT rowcast.current_cursor()", &[]).await.unwrap().get(0);
    execute(&slow, "COMMIT").await;
    let again: String = reader.query_one("SELECT rowcast.current_cursor()", &[]).await.unwrap().get(0);
    assert_eq!(again, cursor, "one snapshot, one cursor");
    let cursor: Cursor = cursor.parse().unwrap();
    assert!(cursor.contains(second) && !cursor.contains(first));
    let mut tailer = Stepped::new(&db).await;
    let missed: Vec<i64> = tailer.read().await.into_iter().filter(|&id| !cursor.contains(id)).collect();
    assert_eq!(missed, [first]);
}

/// Where transactions can be prepared nobody rings, and a prepared one is a writer like any other, though no session holds it.
#[tokio::test]
async fn a_prepared_transaction_is_waited_for() {
    let db = Database::with_two_phase_commit().await;
    let mut tailer = Stepped::new(&db).await;
    let (preparing, quick) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Writer).await);
    let mut prepared = Vec::new();
    for name in ["one", "two"] {
        execute(&preparing, "BEGIN").await;
        prepared.push(emit(&preparing).await);
        execute(&preparing, &format!("PREPARE TRANSACTION '{name}'")).await;
    }
    let last = emit(&quick).await;
    assert_eq!(tailer.read().await, [last]);
    for _ in 0..20 {
        assert!(tailer.read().await.is_empty());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(tailer.cursor(), format!("{last}~{}-{}", prepared[0], prepared[1]));
    execute(&quick, "COMMIT PREPARED 'one'").await;
    assert_eq!(tailer.read().await, [prepared[0]]);
    execute(&quick, "ROLLBACK PREPARED 'two'").await;
    assert_eq!(tailer.settle().await, last.to_string());
}

/// What a client that does not read holds is one page, so a page ends by its bytes as well as by its rows, and says so.
#[tokio::test]
async fn a_page_of_history_is_bounded_by_bytes() {
    let db = Database::new().await;
    let writer = db.connect_as(Role::Writer).await;
    let emit = "SELECT rowcast.emit('document_processing', 'o1', jsonb_build_object('text', repeat('x', 10000)))
                FROM generate_series(1, 50)";
    execute(&writer, emit).await;
    let connection = postgres::Database::new(&db.url_as(Role::Server), 2).unwrap().connection().await.unwrap();
    let mut ids = Vec::new();
    loop {
        let after = ids.last().copied().unwrap_or(0);
        let page = outbox::read_ranges(&connection, &[(after + 1, 50)], None, 500, 100_000).await.unwrap();
        let events = page.events().unwrap();
        let bytes: usize = events.iter().map(rowcast::event::Event::size).sum();
        assert!(bytes < 100_000 + 12_000, "one row may be over the bound, not {bytes} bytes");
        ids.extend(events.iter().map(|event| event.id));
        if page.read_through.is_none() {
            break;
        }
        assert!(!events.is_empty() && events.len() < 50);
    }
    assert_eq!(ids, (1..=50).collect::<Vec<_>>(), "the same connection serves on, and nothing is left out");
}

/// In `SQL_ASCII` any bytes pass as text, and one such row would stop every tailer.
#[tokio::test]
async fn a_database_without_an_encoding_is_refused() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    let name = format!("{}_ascii", db.name());
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    superuser.batch_execute(&create).await.unwrap();
    let url = db.url_as(Role::Superuser).replacen(db.name(), &name, 1);
    rowcast::app::migrate_at(&url).await.unwrap();
    let database = postgres::Database::new(&url, 2).unwrap();
    let refused = outbox::read_start(&database.connection().await.unwrap()).await;
    assert!(matches!(refused, Err(postgres::Error::Encoding)), "{refused:?}");
    drop(database);
    superuser.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
}
