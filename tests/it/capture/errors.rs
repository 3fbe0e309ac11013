//! When an expression fails for a row.

use super::{Stage, words};

const JOBS: &str = "CREATE TABLE public.jobs (id int PRIMARY KEY, org text, done int, total int)";
const RATIO: &str = "organization_id => 'r.org', data => $$jsonb_build_object('progress', 100 * r.done / r.total)$$";

#[tokio::test]
async fn by_default_the_write_fails_with_it() {
    let stage = Stage::new(JOBS).await;
    stage.attach(&format!("'public.jobs', 'document_processing', {RATIO}")).await;
    let error = stage.app.batch_execute("INSERT INTO jobs VALUES (1, 'a', 1, 2), (2, 'a', 1, 0)").await.unwrap_err();
    assert!(words(&error).contains("division by zero"));
    stage.write("INSERT INTO jobs VALUES (1, 'a', 1, 2)").await;
    assert_eq!(stage.told().await, ["INSERT 1 @a"]);
}

#[tokio::test]
async fn or_the_event_is_skipped_and_noted() {
    let stage = Stage::new(JOBS).await;
    stage.attach(&format!("'public.jobs', 'document_processing', {RATIO}, on_error => 'skip'")).await;
    stage.write("INSERT INTO jobs VALUES (1, 'a', 1, 2), (2, 'a', 1, 0), (3, 'a', 2, 2)").await;
    assert_eq!(stage.told().await, ["INSERT 1 @a", "INSERT 3 @a"]);
    stage.write("UPDATE jobs SET total = 4, done = 1 WHERE id = 2").await;
    stage.write("UPDATE jobs SET total = 0 WHERE id = 1").await;
    stage.write("UPDATE jobs SET done = done + 1").await;
    stage.write("DELETE FROM jobs").await;
    let mut told = stage.told().await;
    told[1..3].sort();
    told[3..].sort();
    assert_eq!(told, ["UPDATE 2 @a", "UPDATE 2 @a", "UPDATE 3 @a", "DELETE 2 @a", "DELETE 3 @a"]);
    let noted = stage
        .superuser
        .query("SELECT source, event_type, operation, sqlstate, message FROM rowcast.capture_errors ORDER BY id", &[])
        .await
        .unwrap();
    let operations: Vec<&str> = noted.iter().map(|row| row.get(2)).collect();
    assert_eq!(operations, ["INSERT", "UPDATE", "UPDATE", "DELETE"]);
    for row in noted {
        assert_eq!((row.get(0), row.get(1)), ("public.jobs", "document_processing"));
        assert_eq!((row.get(3), row.get(4)), ("22012", "division by zero"));
    }
}

#[tokio::test]
async fn every_kind_of_failure_can_be_skipped() {
    let stage = Stage::new(
        "CREATE TABLE public.orgs (id int, name text); INSERT INTO public.orgs VALUES (1, 'a'), (1, 'b');
         CREATE TABLE public.t (id int PRIMARY KEY, org int, v text)",
    )
    .await;
    for (expression, sqlstate) in
        [("(SELECT o.name FROM orgs o WHERE o.id = r.org)", "21000"), ("r.v::int", "22P02"), ("(r.id / 0)", "22012")]
    {
        stage
            .attach(&format!("'public.t', 'user_activity', organization_id => '{expression}', on_error => 'skip'"))
            .await;
        stage.write("INSERT INTO t VALUES (1, 1, 'x'); DELETE FROM t").await;
        assert_eq!(stage.told().await, [""; 0]);
        let noted = stage.superuser.query("DELETE FROM rowcast.capture_errors RETURNING sqlstate", &[]).await.unwrap();
        assert_eq!(noted.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), [sqlstate; 2], "{expression}");
        stage.own("SELECT rowcast.detach('public.t')").await;
    }
    // A right that was taken away after attach().
    stage
        .superuser
        .batch_execute("CREATE TABLE public.lookup (id int); GRANT SELECT ON public.lookup TO rowcast_test_writer")
        .await
        .unwrap();
    stage.attach("'public.t', 'user_activity', organization_id => '(SELECT l.id FROM lookup l WHERE l.id = r.id)', on_error => 'skip'").await;
    stage.superuser.batch_execute("REVOKE SELECT ON public.lookup FROM rowcast_test_writer").await.unwrap();
    stage.write("INSERT INTO t VALUES (1, 1, 'x')").await;
    let noted = stage.superuser.query_one("SELECT sqlstate FROM rowcast.capture_errors", &[]).await.unwrap();
    assert_eq!(noted.get::<_, &str>(0), "42501");
}

#[tokio::test]
async fn skipping_takes_no_subtransaction_xid() {
    // More than 64 of them in a transaction would slow every snapshot in the cluster.
    let stage = Stage::new(JOBS).await;
    stage.attach(&format!("'public.jobs', 'document_processing', {RATIO}, on_error => 'skip'")).await;
    stage.write("BEGIN; INSERT INTO jobs VALUES (1, 'a', 1, 2)").await;
    stage.write("INSERT INTO jobs SELECT i, 'a', 1, 2 FROM generate_series(2, 200) i").await;
    let own: String = stage.app.query_one("SELECT pg_current_xact_id()::text", &[]).await.unwrap().get(0);
    stage.write("COMMIT").await;
    let events = stage.superuser.query("SELECT DISTINCT xmin::text FROM rowcast.outbox", &[]).await.unwrap();
    assert_eq!(events.len(), 1, "every event was written by the transaction itself");
    assert_eq!(events[0].get::<_, String>(0), own);
}
