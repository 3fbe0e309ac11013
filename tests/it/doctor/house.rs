//! Partitions, maintenance, and transactions that stand in the way.

use super::{examine, examine_at, is_found_and_mended};
use crate::harness::{Database, Role, eventually};

#[tokio::test]
async fn rows_in_the_default_partition_and_none_for_what_comes() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    // As if nobody had kept house for two million events.
    let ahead = "SELECT setval('rowcast.outbox_id_seq', 2000500);
                 SELECT rowcast.emit('document_processing', 'o1', '{}');
                 UPDATE rowcast.settled SET undecided = '{[2000502,)}'";
    superuser.batch_execute(ahead).await.unwrap();
    let examination = examine(&db).await;
    assert_eq!(examination.level("partitions_ahead"), "warning");
    let said = "the DEFAULT partition holds rows from id 2000501 on: partitions were not made in time";
    assert_eq!(examination.one("default_rows"), ("warning", said));
    let [fix] = &examination.fixes("default_rows")[..] else { panic!("one fix") };
    eventually("maintenance to have been called often enough", async || {
        superuser.batch_execute(fix).await.unwrap();
        let examination = examine(&db).await;
        let mended = ["default_rows", "partitions_ahead"].iter().all(|code| examination.level(code) == "ok");
        mended.then_some(())
    })
    .await;
}

#[tokio::test]
async fn nobody_keeps_house() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    let long_ago = "UPDATE rowcast.maintenance SET maintained_at = now() - interval '1 day'";
    is_found_and_mended(&db, "maintenance", long_ago, ("warning", "maintenance ran last"), &superuser).await;
    let old = "SELECT rowcast.emit('document_processing', 'o1', '{}');
               UPDATE rowcast.outbox SET created_at = now() - interval '15 days'";
    superuser.batch_execute(old).await.unwrap();
    let examination = examine(&db).await;
    let (level, what) = examination.one("maintenance");
    assert!(level == "warning" && what.contains("but only 7 days are to be kept"), "{what}");
}

#[tokio::test]
async fn a_transaction_that_is_left_open() {
    let db = Database::new().await;
    let mut writer = db.connect_as(Role::Writer).await;
    let superuser = db.connect_as(Role::Superuser).await;
    let impatient = format!("{}&options=-c%20rowcast.long_transaction%3D1ms", db.url_as(Role::Superuser));
    assert_eq!(examine_at(&impatient, &[]).await.level("long_transactions"), "ok");
    let open = writer.transaction().await.unwrap();
    open.execute("SELECT rowcast.emit('document_processing', 'o1', '{}')", &[]).await.unwrap();
    assert_eq!(examine(&db).await.level("long_transactions"), "ok", "it is not open for long");
    let examination = examine_at(&impatient, &[]).await;
    let (level, what) = examination.one("long_transactions");
    assert!(level == "warning" && what.ends_with("in which it wrote events"), "{what}");
    superuser.batch_execute(&examination.fixes("long_transactions")[0]).await.unwrap();
    eventually("the session to end", async || {
        (examine_at(&impatient, &[]).await.level("long_transactions") == "ok").then_some(())
    })
    .await;
    assert!(open.commit().await.is_err());
}

#[tokio::test]
async fn a_prepared_transaction_that_was_forgotten() {
    let db = Database::with_two_phase_commit().await;
    let superuser = db.connect_as(Role::Superuser).await;
    let impatient = format!("{}&options=-c%20rowcast.long_transaction%3D1ms", db.url_as(Role::Superuser));
    let examination = examine_at(&impatient, &[]).await;
    assert_eq!(examination.level("prepared_transactions"), "ok");
    let (level, what) = examination.one("two_phase_commit");
    assert!(level == "ok" && what.contains("servers poll"), "{what}");
    let prepare = "BEGIN; SELECT rowcast.emit('document_processing', 'o1', '{}'); PREPARE TRANSACTION 'forgotten'";
    superuser.batch_execute(prepare).await.unwrap();
    eventually("it to be old enough", async || {
        let examination = examine_at(&impatient, &[]).await;
        (examination.one("prepared_transactions").1.starts_with("transaction 'forgotten' of")).then_some(())
    })
    .await;
    assert_eq!(examine_at(&impatient, &[]).await.level("prepared_transactions"), "warning");
    superuser.batch_execute("ROLLBACK PREPARED 'forgotten'").await.unwrap();
    assert_eq!(examine_at(&impatient, &[]).await.level("prepared_transactions"), "ok");
}
