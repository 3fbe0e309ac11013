//! Who may do what, who may see what, and what nobody sees.

use super::{attached, examine, is_found_and_mended};
use crate::{
    fresh_role,
    harness::{Database, Role},
};

#[tokio::test]
async fn rights_that_were_taken_back() {
    let db = Database::new().await;
    let owner = db.connect().await;
    assert_eq!(examine(&db).await.level("grants_missing"), "ok");
    let revoke = "REVOKE SELECT ON rowcast.outbox FROM rowcast_server;
                  REVOKE UPDATE (undecided) ON rowcast.settled FROM rowcast_server;
                  REVOKE USAGE ON SCHEMA rowcast FROM rowcast_reader;
                  REVOKE USAGE ON SEQUENCE rowcast.outbox_id_seq FROM rowcast_writer;
                  REVOKE INSERT (data) ON rowcast.outbox FROM rowcast_writer;
                  REVOKE EXECUTE ON FUNCTION rowcast.ring_doorbell() FROM rowcast_writer";
    owner.batch_execute(revoke).await.unwrap();
    let examination = examine(&db).await;
    let mut said = examination.of("grants_missing");
    said.sort_unstable();
    let expected = [
        "rowcast_reader may not USAGE SCHEMA rowcast",
        "rowcast_server may not SELECT rowcast.outbox",
        "rowcast_server may not UPDATE (undecided) rowcast.settled",
        "rowcast_writer may not EXECUTE FUNCTION rowcast.ring_doorbell()",
        "rowcast_writer may not INSERT (data) rowcast.outbox",
        "rowcast_writer may not USAGE SEQUENCE rowcast.outbox_id_seq",
    ];
    assert_eq!(said, expected.map(|what| ("problem", what)));
    owner.batch_execute(&examination.fixes("grants_missing").join("\n")).await.unwrap();
    assert_eq!(examine(&db).await.level("grants_missing"), "ok");
}

#[tokio::test]
async fn a_server_that_is_superuser() {
    let db = Database::new().await;
    assert_eq!(examine(&db).await.level("server_role"), "ok");
    let url = format!("{}&application_name=rowcast", db.url_as(Role::Superuser));
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    assert_eq!(examine(&db).await.one("server_role"), ("warning", "a server is connected as postgres, a superuser"));
    drop(client);
    driver.await.unwrap().unwrap();
}

#[tokio::test]
async fn nobody_may_see_anything_or_one_type() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    assert_eq!(
        examine(&db).await.one("nobody_to_see"),
        ("warning", "rowcast.grants is empty: nobody may see anything")
    );
    superuser.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
    let attach = "SET ROLE rowcast_test_writer; CREATE TABLE alerts (id bigint PRIMARY KEY, organization_id text);
                  SELECT rowcast.attach('alerts', 'performance_alert', organization_id => 'r.organization_id'); RESET ROLE;";
    let expected = ("warning", "performance_alert needs the permission chatbot_manager, which nobody holds");
    assert_eq!(examine(&db).await.level("nobody_to_see"), "ok");
    superuser.batch_execute(attach).await.unwrap();
    assert_eq!(examine(&db).await.one("nobody_to_see"), expected);
    superuser.batch_execute("INSERT INTO rowcast.memberships VALUES ('ada', 'o1', 'admin')").await.unwrap();
    assert_eq!(examine(&db).await.level("nobody_to_see"), "ok");
}

#[tokio::test]
async fn a_redaction_that_hides_nothing() {
    let db = Database::new().await;
    let owner = db.connect().await;
    let provoke = "INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'admin');
                   INSERT INTO rowcast.redactions (event_type, path, unless_permission) VALUES ('payment_recieved', '{card,number}', 'billing')";
    let expected = ("warning", "a redaction is of the type payment_recieved, which rowcast.event_types does not have");
    is_found_and_mended(&db, "redactions", provoke, expected, &owner).await;
}

#[tokio::test]
async fn events_that_reach_nobody_and_events_that_were_left_out() {
    let db = Database::new().await;
    let writer = attached(&db).await;
    writer.batch_execute("INSERT INTO docs VALUES (1, 'o1', 'fine')").await.unwrap();
    assert_eq!(examine(&db).await.level("events_for_nobody"), "ok");
    writer.batch_execute("INSERT INTO docs VALUES (2, NULL, 'lost'), (3, NULL, 'lost')").await.unwrap();
    let examination = examine(&db).await;
    let said = "public.docs: in the last day 2 events that nobody may see, the last with key 3";
    assert_eq!(examination.one("events_for_nobody"), ("warning", said));
    assert_eq!(examination.level("capture_errors"), "ok");

    let failing = "SELECT rowcast.detach('docs');
                   SELECT rowcast.attach('docs', 'document_processing', organization_id => 'r.organization_id',
                                         data => 'jsonb_build_object(''x'', 1 / (r.id - 4))', on_error => 'skip');
                   INSERT INTO docs VALUES (4, 'o1', 'divides by zero')";
    writer.batch_execute(failing).await.unwrap();
    let examination = examine(&db).await;
    let (level, what) = examination.one("capture_errors");
    assert!(level == "warning" && what.contains("1 events") && what.ends_with("division by zero"), "{what}");
    let superuser = db.connect_as(Role::Superuser).await;
    superuser.batch_execute("DELETE FROM rowcast.capture_errors").await.unwrap();
    assert_eq!(examine(&db).await.level("capture_errors"), "ok");
}

#[tokio::test]
async fn a_column_that_sounds_like_a_secret() {
    let db = Database::new().await;
    attached(&db).await;
    let superuser = db.connect_as(Role::Superuser).await;
    let columns =
        "ALTER TABLE docs ADD COLUMN password_hash text, ADD COLUMN token_count int, ADD COLUMN login_hash text";
    let expected = ("warning", "public.docs: the column login_hash is sent to clients");
    is_found_and_mended(&db, "secret_columns", columns, expected, &superuser).await;
}

#[tokio::test]
async fn every_role_is_told_what_it_may_know() {
    let db = Database::new().await;
    attached(&db).await;
    let unknown = |examination: &super::Examination| {
        let unknown = examination.findings.iter().filter(|finding| finding["level"] == "unknown");
        unknown.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for role in [Role::Owner, Role::Server] {
        let examination = super::examine_at(&db.url_as(role), &[]).await;
        assert_eq!(unknown(&examination), ["long_transactions"], "{role:?}");
        assert_eq!(examination.level("trigger_missing"), "ok", "{role:?}");
    }
    let owner = db.connect().await;
    owner.batch_execute("REVOKE SELECT ON rowcast.capture_errors FROM rowcast_server").await.unwrap();
    let server = super::examine_at(&db.url_as(Role::Server), &[]).await;
    let (level, what) = server.one("capture_errors");
    assert!(level == "unknown" && what.starts_with("could not be looked at: permission denied"), "{what}");
    owner.batch_execute("GRANT SELECT ON rowcast.capture_errors TO rowcast_server").await.unwrap();
    let app = super::examine_at(&db.url_as(Role::App), &[]).await;
    assert_eq!(
        (app.level("migrations"), app.code),
        ("problem", Some(2)),
        "a role without rights has nothing to look at"
    );

    let role = fresh_role("watcher");
    let superuser = db.connect_as(Role::Superuser).await;
    let watcher = format!("CREATE ROLE {role} IN ROLE rowcast_server, pg_read_all_stats; GRANT {role} TO postgres");
    superuser.batch_execute(&watcher).await.unwrap();
    let url = format!("{}&options=-c%20role%3D{role}", db.url_as(Role::Superuser));
    let examination = super::examine_at(&url, &[]).await;
    superuser.batch_execute(&format!("DROP ROLE {role}")).await.unwrap();
    assert_eq!(unknown(&examination), Vec::<String>::new());
}
