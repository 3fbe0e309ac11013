//! From an older rowcast to this one, and an older one that starts again beside it.

use crate::{
    documents,
    harness::{Database, Role, Server},
};

const OLDER: &str = include_str!("../fixtures/migrated_by_0_1_0.sql");

/// A database as the older one has left it.
async fn older() -> Database {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    let owner = Role::Owner.name();
    let number: u32 = superuser.query_one("SELECT $1::text::regrole::oid", &[&owner]).await.unwrap().get(0);
    let ours = "SELECT string_agg(nspname, ', ') FROM pg_namespace WHERE nspname ~ '^rowcast'";
    let ours: String = superuser.query_one(ours, &[]).await.unwrap().get(0);
    superuser.batch_execute(&format!("DROP SCHEMA {ours} CASCADE; SET ROLE {owner}")).await.unwrap();
    superuser.batch_execute(&OLDER.replace("_OWNER", &format!("_{number}"))).await.unwrap();
    db
}

async fn functions_version(db: &Database) -> String {
    let version = "SELECT value FROM rowcast.settings WHERE name = 'functions_version'";
    db.connect().await.query_one(version, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn an_older_database_is_brought_up_to_date_with_all_that_is_in_it() {
    let db = older().await;
    let migrated = rowcast::app::migrate_at(&db.url()).await.unwrap();
    assert_eq!(
        migrated.migrations,
        [
            "V6__connections",
            "V7__tickets",
            "V8__secrets",
            "V9__duties",
            "V10__health",
            "V11__errors",
            "V12__metrics",
            "V13__alerts",
            "V14__activity"
        ]
    );
    assert!(migrated.functions);
    let patterns = "SELECT count(*) FROM rowcast.secret_patterns WHERE pattern = '^ours$' OR pattern LIKE '%otp%'";
    let admin = db.connect().await;
    assert_eq!(admin.query_one(patterns, &[]).await.unwrap().get::<_, i64>(0), 1, "the DBA's own pattern was replaced");

    // What takes an argument more has taken the place of what was there.
    let attaching = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'rowcast'::regnamespace AND proname IN ('attach', 'preview', 'attachment_definition')";
    assert_eq!(admin.query_one(attaching, &[]).await.unwrap().get::<_, i64>(0), 3);

    // What was captured before is there; what was attached before keeps secrets from now on as if it were attached now.
    let server = Server::start(&db).await;
    let mut client = documents::connect(&server, "ann", Some("0")).await;
    let before = documents::next(&mut client).await;
    assert_eq!(before["data"]["settings"]["theme"], "dark");
    admin
        .batch_execute(
            "INSERT INTO public.notes VALUES (2, 'o1', '{\"smtp\": {\"password\": \"x\", \"port\": 25}}', 'k')",
        )
        .await
        .unwrap();
    let after = documents::next(&mut client).await;
    assert_eq!(after["data"]["settings"], serde_json::json!({"smtp": {"port": 25}}), "{after}");
    assert!(after["data"].get("api_key").is_none());
}

#[tokio::test]
async fn an_older_build_of_the_same_release_leaves_a_newer_database_as_it_is() {
    let db = Database::new().await;
    let admin = db.connect().await;
    // As if a later build had been there.
    admin
        .batch_execute(
            "UPDATE rowcast.settings SET value = split_part(value, ' ', 1) || ' later' WHERE name = 'functions_version';
             INSERT INTO rowcast.schema_history SELECT max(version) + 1, 'later', max(applied_on), '1' FROM rowcast.schema_history",
        )
        .await
        .unwrap();
    let migrated = rowcast::app::migrate_at(&db.url()).await.unwrap();
    assert!(!migrated.functions && migrated.migrations.is_empty());
    assert!(functions_version(&db).await.ends_with(" later"));
    Server::start(&db).await;

    // Without a later migration it is as before: whoever starts last is right.
    admin.batch_execute("DELETE FROM rowcast.schema_history WHERE name = 'later'").await.unwrap();
    assert!(rowcast::app::migrate_at(&db.url()).await.unwrap().functions);
}

#[tokio::test]
async fn our_own_tables_are_attached_as_this_release_wants_them() {
    let db = Database::new().await;
    let owner = db.connect().await;
    let operations = async || {
        let list = "SELECT string_agg(DISTINCT facts->>'operations', ';') FROM rowcast.attachment_triggers WHERE root = 'rowcast.activity'::regclass";
        owner.query_one(list, &[]).await.unwrap().get::<_, String>(0)
    };
    // As if another release had wanted more, or less.
    for wanted in ["{INSERT,UPDATE}", "{UPDATE}"] {
        owner
            .batch_execute(&format!(
                "SELECT rowcast.keep_attached('rowcast.activity', 'user_activity', data => 'to_jsonb(r)',
                                              priority => '''low''', user_id => 'r.user_id', session_id => 'r.session_id', operations => '{wanted}')"
            ))
            .await
            .unwrap();
        assert_ne!(operations().await, "[\"INSERT\"]");
        owner.batch_execute("SELECT rowcast.attach_producers()").await.unwrap();
        assert_eq!(operations().await, "[\"INSERT\"]", "{wanted}");
    }
}
