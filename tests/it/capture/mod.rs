//! From a written row to a row of the outbox: every rule of capture, under the roles that an adopter would use.
//!
//! Tables belong to the writer, who is in `rowcast_writer`; rows are written by the app, which has no rights on rowcast.

mod attachments;
mod cursor;
mod doorbell;
mod emit;
mod errors;
mod group_sums;
mod groups;
mod nested;
mod numbers;
mod organizations;
mod partitions;
mod payload;
mod privileges;
mod refusals;
mod registration;
mod renames;
mod roles;
mod rows;
mod secrets;
mod statements;
mod truncate;
mod visibility;

use std::cell::Cell;

use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::harness::{Database, Role};

/// A database with the app's tables, and whoever writes to it.
struct Stage {
    db: Database,
    /// Owns the tables.
    writer: Client,
    /// Writes rows.
    app: Client,
    superuser: Client,
    /// The last outbox id that [`events`](Self::events) has given.
    seen: Cell<i64>,
}

/// A row of the outbox.
#[derive(Debug)]
struct Event {
    id: i64,
    kind: String,
    operation: String,
    audience: String,
    organization_id: Option<String>,
    user_id: Option<String>,
    chatbot_id: Option<String>,
    session_id: Option<String>,
    source: Option<String>,
    key: Option<String>,
    priority: String,
    data: Value,
}

impl Stage {
    /// Where functions for the tables of the writer are generated.
    async fn capture_schema(&self) -> String {
        let schema = "SELECT rowcast.capture_schema(oid) FROM pg_roles WHERE rolname = $1";
        self.superuser.query_one(schema, &[&Role::Writer.name()]).await.unwrap().get(0)
    }

    /// Creates tables (or whatever else) as the writer.
    async fn new(tables: &str) -> Self {
        let db = Database::new().await;
        let (writer, app) = (db.connect_as(Role::Writer).await, db.connect_as(Role::App).await);
        let superuser = db.connect_as(Role::Superuser).await;
        writer.batch_execute(tables).await.unwrap();
        Self { db, writer, app, superuser, seen: Cell::new(0) }
    }

    /// `SELECT rowcast.attach(…)` as the writer.
    async fn attach(&self, arguments: &str) {
        self.writer.batch_execute(&format!("SELECT rowcast.attach({arguments})")).await.unwrap();
    }

    /// What `attach` says when it refuses.
    async fn refusal(&self, arguments: &str) -> String {
        match self.writer.batch_execute(&format!("SELECT rowcast.attach({arguments})")).await {
            Ok(()) => panic!("attach({arguments}) was accepted"),
            Err(error) => words(&error),
        }
    }

    /// Runs statements as the app.
    async fn write(&self, statements: &str) {
        self.app.batch_execute(statements).await.unwrap();
    }

    /// Creates a schema for the writer's tables, which the app may use.
    async fn schema(&self, name: &str) {
        let create = format!(
            "CREATE SCHEMA {name} AUTHORIZATION rowcast_test_writer; GRANT USAGE ON SCHEMA {name} TO rowcast_test_app"
        );
        self.superuser.batch_execute(&create).await.unwrap();
    }

    /// Runs statements as the owner of the tables.
    async fn own(&self, statements: &str) {
        self.writer.batch_execute(statements).await.unwrap();
    }

    /// The events since the last call, in their order.
    async fn events(&self) -> Vec<Event> {
        let rows = self
            .superuser
            .query(
                "SELECT id, event_type, operation, audience, organization_id, user_id, chatbot_id, session_id, source, source_key, priority,
                        data::text
                 FROM rowcast.outbox WHERE id > $1 ORDER BY id",
                &[&self.seen.get()],
            )
            .await
            .unwrap();
        let events: Vec<_> = rows
            .iter()
            .map(|row| Event {
                id: row.get(0),
                kind: row.get(1),
                operation: row.get(2),
                audience: row.get(3),
                organization_id: row.get(4),
                user_id: row.get(5),
                chatbot_id: row.get(6),
                session_id: row.get(7),
                source: row.get(8),
                key: row.get(9),
                priority: row.get(10),
                data: serde_json::from_str(row.get(11)).unwrap(),
            })
            .collect();
        if let Some(last) = events.last() {
            self.seen.set(last.id);
        }
        events
    }

    /// The events since the last call, each as `OPERATION key audience`, where the audience is `@organization`, `~user`,
    /// `all` or `nobody`.
    async fn told(&self) -> Vec<String> {
        self.events().await.iter().map(Event::summary).collect()
    }

    /// The data of the events since the last call.
    async fn data(&self) -> Vec<Value> {
        self.events().await.into_iter().map(|event| event.data).collect()
    }

    /// The data of the only event since the last call.
    async fn only_data(&self) -> Value {
        let mut data = self.data().await;
        assert_eq!(data.len(), 1, "{data:?}");
        data.remove(0)
    }

    /// The messages (warnings and notices, hints included) that statements raise for the writer.
    async fn notices(&self, statements: &str) -> Vec<String> {
        let (client, mut connection) = tokio_postgres::connect(&self.db.url_as(Role::Writer), NoTls).await.unwrap();
        let messages = stream::poll_fn(move |context| connection.poll_message(context));
        let (run, messages) = tokio::join!(
            async {
                let run = client.batch_execute(statements).await;
                drop(client);
                run
            },
            messages.collect::<Vec<_>>()
        );
        run.unwrap();
        let notices = messages.into_iter().filter_map(|message| match message.unwrap() {
            AsyncMessage::Notice(notice) => {
                Some(format!("{}: {} {}", notice.severity(), notice.message(), notice.hint().unwrap_or_default()))
            }
            _ => None,
        });
        notices.collect()
    }
}

impl Event {
    fn summary(&self) -> String {
        let key = self.key.as_deref().unwrap_or("-");
        let audience = match self.audience.as_str() {
            "organization" => format!("@{}", self.organization_id.as_deref().unwrap()),
            "user" => format!("~{}", self.user_id.as_deref().unwrap()),
            "platform" => "all".to_owned(),
            other => other.to_owned(),
        };
        format!("{} {key} {audience}", self.operation)
    }
}

/// What the database said, hint included.
fn words(error: &tokio_postgres::Error) -> String {
    let error = error.as_db_error().unwrap_or_else(|| panic!("not from the database: {error}"));
    format!("{} {}", error.message(), error.hint().unwrap_or_default())
}

/// A table whose organization is a column of its own.
const DOCS: &str = "CREATE TABLE public.docs (id int PRIMARY KEY, org text, title text)";

/// Attaches it.
const ATTACH_DOCS: &str = "'public.docs', 'document_processing', organization_id => 'r.org'";
