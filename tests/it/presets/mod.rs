//! Apps that are attached by a preset: what their rows become, and what is said when their tables are called otherwise.
//!
//! Tables belong to the writer, who attaches them; rows are written by the app, which has no rights on rowcast.

mod chunks;
mod command;
mod conversations;
mod documents;
mod figures;
mod other_names;
mod refusals;
mod users;

use std::cell::Cell;

use rowcast::payload::Payload;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::{Database, Role};

/// A database with an app's tables in the schema `app`.
struct Stage {
    db: Database,
    /// Owns the tables, and attaches them.
    writer: Client,
    /// Writes rows.
    app: Client,
    owner: Client,
    /// The last outbox id that [`events`](Self::events) has given.
    seen: Cell<i64>,
}

/// A row of the outbox, whose data has the shape of its type.
#[derive(Debug)]
struct Event {
    kind: String,
    operation: String,
    /// The organization, `all` or `nobody`.
    audience: String,
    priority: String,
    source: String,
    user: Option<String>,
    chatbot: Option<String>,
    session: Option<String>,
    data: Value,
}

impl Stage {
    /// Makes the tables as the writer; names without a schema are in `app`.
    async fn new(tables: &str) -> Self {
        let db = Database::new().await;
        let superuser = db.connect_as(Role::Superuser).await;
        let (owner, app) = (Role::Writer.name(), Role::App.name());
        let schema = format!("CREATE SCHEMA app AUTHORIZATION {owner}; GRANT USAGE ON SCHEMA app TO {app}");
        superuser.batch_execute(&schema).await.unwrap();
        let (writer, app) = (db.connect_as(Role::Writer).await, db.connect_as(Role::App).await);
        app.batch_execute("SET search_path = app").await.unwrap();
        writer.batch_execute(&format!("SET search_path = app; {tables}; RESET search_path")).await.unwrap();
        let owner = db.connect().await;
        Self { db, writer, app, owner, seen: Cell::new(0) }
    }

    /// Attaches; returns what was, as `source event_type`.
    async fn attach(&self, preset: &str, arguments: &Value) -> Vec<String> {
        self.try_attach(preset, arguments, None).await.unwrap_or_else(|refused| panic!("{refused}"))
    }

    /// Attaches, or returns what was said, hint included.
    async fn try_attach(&self, preset: &str, arguments: &Value, parts: Option<&[&str]>) -> Result<Vec<String>, String> {
        let attach = "SELECT source || ' ' || event_type FROM rowcast.attach_preset($1, 'app', $2::text::jsonb, $3)";
        let rows = self.writer.query(attach, &[&preset, &arguments.to_string(), &parts]).await;
        rows.map(|rows| rows.iter().map(|row| row.get(0)).collect()).map_err(|error| {
            let error = error.as_db_error().unwrap_or_else(|| panic!("not from the database: {error}"));
            format!("{} {}", error.message(), error.hint().unwrap_or_default())
        })
    }

    /// What is attached, as `source event_type`.
    async fn attached(&self) -> Vec<String> {
        let list = "SELECT source || ' ' || event_type FROM rowcast.attachments WHERE source LIKE 'app.%' ORDER BY 1";
        self.owner.query(list, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// Runs statements as the app.
    async fn write(&self, statements: &str) {
        self.app.batch_execute(statements).await.unwrap();
    }

    /// The events since the last call, in their order.
    async fn events(&self) -> Vec<Event> {
        let list = "SELECT id, event_type, operation, coalesce(organization_id, CASE audience WHEN 'platform' THEN 'all' ELSE audience END), priority,
                           source, user_id, chatbot_id, session_id, data::text
                    FROM rowcast.outbox WHERE id > $1 ORDER BY id";
        let rows = self.owner.query(list, &[&self.seen.get()]).await.unwrap();
        if let Some(last) = rows.last() {
            self.seen.set(last.get(0));
        }
        let events = rows.iter().map(|row| Event {
            kind: row.get(1),
            operation: row.get(2),
            audience: row.get(3),
            priority: row.get(4),
            source: row.get(5),
            user: row.get(6),
            chatbot: row.get(7),
            session: row.get(8),
            data: serde_json::from_str(row.get(9)).unwrap(),
        });
        events.inspect(Event::is_in_shape).collect()
    }

    /// The data of the only event since the last call.
    async fn only(&self) -> Value {
        let mut events = self.events().await;
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0).data
    }

    /// One value of the data of each event since the last call.
    async fn told(&self, key: &str) -> Vec<Value> {
        self.events().await.into_iter().map(|mut event| event.data[key].take()).collect()
    }
}

impl Event {
    /// No field too many and none too few, none of another type, none null.
    fn is_in_shape(&self) {
        let (kind, data) = (&self.kind, &self.data);
        let payload: Payload = serde_json::from_value(json!({"type": kind, "data": data}))
            .unwrap_or_else(|wrong| panic!("{kind}: {wrong}: {data}"));
        assert!(!data.as_object().unwrap().values().any(Value::is_null), "{kind}: {data}");
        if let Payload::DocumentProcessing(document) = payload {
            assert!((0.0..=100.0).contains(&document.progress), "{data}");
        }
    }
}
