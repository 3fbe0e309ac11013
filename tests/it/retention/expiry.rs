//! The end of history: what is old goes, and what went is on record.

use super::{Stage, emit};
use crate::harness::Role;

#[tokio::test]
async fn partitions_go_when_their_youngest_row_is_old() {
    let stage = Stage::new(100).await;
    stage.emit(350).await;
    stage.maintain_all().await;
    stage.settle(350).await;
    stage.age(250, 8).await;
    assert_eq!(stage.maintain().await, ["dropped outbox_1"]);
    assert_eq!(stage.expired_through().await, 100);
    // 101 to 400 came about by overflow, and is still being written to.
    assert_eq!(stage.ids().await, (101..=350).collect::<Vec<_>>());
}

#[tokio::test]
async fn rows_of_the_partition_in_use_go_one_by_one() {
    let stage = Stage::new(1_000).await;
    stage.emit(30).await;
    stage.maintain_all().await;
    stage.settle(25).await;
    stage.age(20, 8).await;
    assert_eq!(stage.maintain().await, ["deleted outbox_1"]);
    assert_eq!((stage.expired_through().await, stage.ids().await), (20, (21..=30).collect()));
    // An old row behind a young one waits for it: the record is one number.
    stage.execute("UPDATE rowcast.outbox SET created_at = '2000-01-01' WHERE id = 22").await;
    assert_eq!(stage.maintain().await, [""; 0]);
    stage.age(30, 8).await;
    assert_eq!(stage.maintain().await, ["deleted outbox_1"]);
    assert_eq!((stage.expired_through().await, stage.ids().await), (25, (26..=30).collect()), "26 is not decided");
}

#[tokio::test]
async fn nothing_undecided_is_touched() {
    let stage = Stage::new(10).await;
    let open = stage.db.connect_as(Role::Writer).await;
    stage.emit(12).await;
    stage.maintain_all().await;
    open.batch_execute("BEGIN").await.unwrap();
    assert_eq!(emit(&open, 1).await, 13);
    stage.emit(20).await;
    stage.age(33, 30).await;
    // What the servers know: 13 may still come.
    stage.settle(12).await;
    let steps = stage.maintain_all().await;
    assert_eq!(stage.expired_through().await, 12, "{steps:?}");
    assert!(!stage.ids().await.contains(&12) && stage.ids().await.contains(&14));
    open.batch_execute("COMMIT").await.unwrap();
    assert_eq!(stage.ids().await, (13..=33).collect::<Vec<_>>());
    stage.settle(33).await;
    stage.age(33, 30).await;
    stage.maintain_all().await;
    assert_eq!((stage.expired_through().await, stage.ids().await), (33, vec![]));
}

#[tokio::test]
async fn a_sequence_that_was_set_back_protects_what_is_drawn_anew() {
    let stage = Stage::new(10).await;
    stage.emit(25).await;
    stage.maintain_all().await;
    stage.settle(25).await;
    stage.age(25, 30).await;
    stage.execute("SELECT setval('rowcast.outbox_id_seq', 5)").await;
    stage.maintain_all().await;
    assert_eq!(stage.expired_through().await, 5);
}

#[tokio::test]
async fn it_is_emptied_while_somebody_writes_and_dropped_when_nobody_does() {
    let stage = Stage::new(100).await;
    stage.emit(150).await;
    stage.maintain_all().await;
    stage.settle(150).await;
    stage.age(100, 8).await;
    let open = stage.db.connect_as(Role::Writer).await;
    open.batch_execute("BEGIN").await.unwrap();
    emit(&open, 1).await;
    assert_eq!(stage.maintain().await, ["postponed outbox", "emptied outbox_1"]);
    assert_eq!((stage.expired_through().await, stage.ids().await), (100, (101..=150).collect()));
    assert_eq!(stage.maintain_all().await, ["postponed outbox"], "nothing is emptied twice");
    open.batch_execute("COMMIT").await.unwrap();
    assert!(stage.maintain().await.contains(&"dropped outbox_1".to_owned()));
    assert_eq!(stage.partitions().await[0].1, 101);
}

#[tokio::test]
async fn what_cannot_be_emptied_is_not_on_record() {
    let stage = Stage::new(100).await;
    stage.emit(150).await;
    stage.maintain_all().await;
    stage.settle(150).await;
    stage.age(100, 8).await;
    // A dump holds every partition for as long as it takes.
    let dump = stage.db.connect_as(Role::Reader).await;
    dump.batch_execute("BEGIN; SELECT count(*) FROM rowcast.outbox").await.unwrap();
    let steps = stage.steps().await;
    assert_eq!([steps[0].summary(), steps[1].summary()], ["postponed outbox", "postponed outbox_1"]);
    let pid: i32 = dump.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    assert!(steps[0].detail.contains(&format!("in use by process {pid}")), "it is said who is in the way: {steps:?}");
    assert_eq!((stage.expired_through().await, stage.ids().await.len()), (0, 150));
    dump.batch_execute("COMMIT").await.unwrap();
    assert_eq!(stage.maintain().await, ["dropped outbox_1"]);
}

#[tokio::test]
async fn the_retention_is_a_setting_that_the_server_may_set() {
    let stage = Stage::new(100).await;
    stage.emit(100).await;
    stage.maintain_all().await;
    stage.settle(100).await;
    stage.age(50, 8).await;
    stage.age(100, 20).await;
    let call = |retention: &str| format!("SELECT * FROM rowcast.maintain('{retention}')");
    let setting = async || -> String {
        let query = "SELECT value FROM rowcast.settings WHERE name = 'retention'";
        stage.superuser.query_one(query, &[]).await.unwrap().get(0)
    };
    let summaries = |steps: Vec<super::Step>| steps.iter().map(super::Step::summary).collect::<Vec<_>>();
    assert_eq!(summaries(super::steps(&stage.server, &call("none")).await), ["set settings", "indexed outbox_1"]);
    assert_eq!(stage.maintain().await, [""; 0], "for ever");
    assert_eq!(summaries(super::steps(&stage.server, &call("30 days")).await), ["set settings"]);
    assert_eq!(setting().await, "30 days");
    assert_eq!(summaries(super::steps(&stage.server, &call("720:00:00")).await), [""; 0], "the same in other words");
    assert_eq!(summaries(super::steps(&stage.server, &call("10 days")).await), ["set settings", "dropped outbox_1"]);
    for refused in ["0", "-1 day", "nonsense", ""] {
        let update = format!("UPDATE rowcast.settings SET value = '{refused}' WHERE name = 'retention'");
        let error = stage.superuser.batch_execute(&update).await.unwrap_err();
        assert!(error.as_db_error().unwrap().message().contains("not a length of time"), "{error:?}");
    }
}

#[tokio::test]
async fn what_nobody_reads_any_more_is_pruned() {
    let stage = Stage::new(100).await;
    stage
        .execute(
            "INSERT INTO rowcast.access_changes (created_at, reason) VALUES (now() - interval '2 days', 'old'), (now(), 'new');
             INSERT INTO rowcast.commands (created_at, command) VALUES (now() - interval '2 days', 'old'), (now(), 'new');
             INSERT INTO rowcast.capture_errors (created_at, source, event_type, operation, sqlstate, message)
             SELECT now() - days * interval '1 day', 's', 't', 'INSERT', 'XX000', 'm' FROM unnest('{1,6,8,9}'::int[]) days",
        )
        .await;
    assert_eq!(stage.maintain().await, ["pruned access_changes", "pruned commands", "pruned capture_errors"]);
    assert_eq!(stage.number("SELECT count(*) FROM rowcast.access_changes WHERE reason = 'new'").await, 1);
    assert_eq!(stage.number("SELECT count(*) FROM rowcast.commands WHERE command = 'new'").await, 1);
    assert_eq!(stage.number("SELECT count(*) FROM rowcast.capture_errors").await, 2);
}
