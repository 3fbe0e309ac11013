//! `rowcast attach --register`: an event type of one's own and what is attached to it, or neither.

use std::process::Command;

use crate::harness::{Database, Role};

/// What it printed, or why it failed.
async fn attach(db: &Database, role: Role, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rowcast"));
    command.env("DATABASE_URL", db.url_as(role)).arg("attach").args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let [said, failed] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    if output.status.success() { Ok(said) } else { Err(failed) }
}

const METRICS: &str = "public.metrics";

/// A table of each of two roles: that of the owner of the schema rowcast, and of an app's owner who may not say who sees what.
async fn prepare(db: &Database) -> tokio_postgres::Client {
    let superuser = db.connect_as(Role::Superuser).await;
    let (owner, writer) = (Role::Owner.name(), Role::Writer.name());
    let tables = format!(
        "CREATE TABLE metrics (key text PRIMARY KEY, value double precision); ALTER TABLE metrics OWNER TO {owner};
         CREATE TABLE theirs (key text PRIMARY KEY); ALTER TABLE theirs OWNER TO {writer}"
    );
    superuser.batch_execute(&tables).await.unwrap();
    superuser
}

async fn types(client: &tokio_postgres::Client) -> Vec<String> {
    let own =
        "SELECT concat_ws(' ', name, required_permission) FROM rowcast.event_types WHERE name ~ 'metric$' ORDER BY 1";
    client.query(own, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_type_of_ones_own_is_added_with_what_is_attached_to_it() {
    let db = Database::new().await;
    let superuser = prepare(&db).await;
    let refused = attach(&db, Role::Owner, &[METRICS, "training_metric"]).await.unwrap_err();
    assert!(refused.contains("unknown event type") && refused.contains("--register"), "{refused}");

    let dry = [METRICS, "training_metric", "--register", "--requires", "monitor", "--dry-run"];
    let statements = attach(&db, Role::Owner, &dry).await.unwrap();
    assert!(
        statements.starts_with("SELECT rowcast.register_event_type('training_metric', 'monitor');\nBEGIN;"),
        "{statements}"
    );
    assert!(types(&superuser).await.is_empty(), "nothing was done");

    let said = attach(&db, Role::Owner, &dry[..5]).await.unwrap();
    assert!(said.contains("training_metric is an event type from now on, for holders of monitor"), "{said}");
    assert!(said.contains("public.metrics is attached as training_metric, platform-wide"), "{said}");
    assert_eq!(types(&superuser).await, ["training_metric monitor"]);
    superuser.batch_execute("INSERT INTO metrics VALUES ('loss', 0.5)").await.unwrap();
    let written = "SELECT count(*) FROM rowcast.outbox WHERE event_type = 'training_metric'";
    assert_eq!(superuser.query_one(written, &[]).await.unwrap().get::<_, i64>(0), 1);

    // Once more is no harm, for whoever wants the same.
    db.connect().await.batch_execute("SELECT rowcast.detach('metrics')").await.unwrap();
    let again = attach(&db, Role::Owner, &dry[..5]).await.unwrap();
    assert!(!again.contains("from now on"), "{again}");
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let db = Database::new().await;
    let superuser = prepare(&db).await;
    for (role, arguments, expected) in [
        (Role::Owner, &["public.nowhere", "a_metric", "--register"][..], "nowhere"),
        (Role::Owner, &[METRICS, "A metric", "--register"], "cannot be the name of an event type"),
        (Role::Owner, &[METRICS, "a_metric", "--requires", "monitor"], "--register"),
        (
            Role::Owner,
            &[METRICS, "system_health", "--register"],
            "the event type system_health is there, and requires the permission monitor",
        ),
        (Role::Owner, &[METRICS, "document_processing", "--register", "--requires", "x"], "requires no permission"),
        (
            Role::Writer,
            &["public.theirs", "a_metric", "--register"],
            "rowcast_test_writer may not register event types",
        ),
        (
            Role::Writer,
            &["public.theirs", "a_metric", "--register"],
            "SELECT rowcast.register_event_type('a_metric', NULL);",
        ),
    ] {
        let refused = attach(&db, role, arguments).await.unwrap_err();
        assert!(refused.contains(expected), "{arguments:?}: {refused}");
    }
    assert!(types(&superuser).await.is_empty());
    let attached = "SELECT count(*) FROM rowcast.attachments WHERE source LIKE 'public.%'";
    assert_eq!(superuser.query_one(attached, &[]).await.unwrap().get::<_, i64>(0), 0);
    // A type that is there is anybody's to name.
    let said = attach(&db, Role::Writer, &["public.theirs", "document_processing", "--register"]).await.unwrap();
    assert!(said.contains("attached as document_processing"), "{said}");
}
