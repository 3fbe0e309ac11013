//! Figures of chatbots, computed from an app's messages: that they are right, that one server at a time writes them, and who needs which rights for it.

mod costs;
mod figures;
mod history;
mod oracle;
mod queries;
mod servers;
mod trace;

use serde_json::{Value, json};
use tokio_postgres::Client;

use self::oracle::Message;
use crate::harness::{Database, Role};

/// The messages of an app, with names of its own.
const TABLE: &str = "CREATE TABLE public.utterances (
        bot text, tenant text, dialogue integer, speaker text, said_at timestamptz, took_ms double precision, went_wrong boolean,
        prompt_tokens integer, completion_tokens bigint, llm text, stars smallint
    );
    CREATE INDEX utterances_said ON public.utterances (said_at);";

/// Where they are.
const QUERY: &str = "SELECT bot AS chatbot_id, tenant AS organization_id, dialogue AS session_id, speaker AS role, said_at AS created_at,
        took_ms AS response_time_ms, went_wrong AS failed, prompt_tokens AS input_tokens, completion_tokens AS output_tokens, llm AS model,
        stars AS satisfaction
    FROM public.utterances";

/// What the database said, hint included.
fn words(error: &tokio_postgres::Error) -> String {
    let error = error.as_db_error().unwrap();
    format!("{} {}", error.message(), error.hint().unwrap_or_default())
}

/// An app whose messages are measured.
struct App {
    db: Database,
    /// Owns rowcast.
    dba: Client,
    /// Owns the messages.
    writer: Client,
    /// What `rowcast serve` is.
    server: Client,
}

impl App {
    async fn new() -> Self {
        let app = Self::without_query().await;
        app.dba.execute("SELECT rowcast.use_messages($1)", &[&QUERY]).await.unwrap();
        app
    }

    /// Nobody has said where the messages are.
    async fn without_query() -> Self {
        let db = Database::new().await;
        let writer = db.connect_as(Role::Writer).await;
        let grant = format!("GRANT SELECT ON public.utterances TO {}", Role::Owner.name());
        writer.batch_execute(&format!("{TABLE} {grant}")).await.unwrap();
        Self { dba: db.connect().await, server: db.connect_as(Role::Server).await, writer, db }
    }

    async fn price(&self, model: &str, input: &str, output: &str, valid_from: &str) {
        let price = format!("INSERT INTO rowcast.model_prices VALUES ('{model}', {input}, {output}, '{valid_from}')");
        self.dba.batch_execute(&price).await.unwrap();
    }

    async fn write(&self, messages: &[Message]) {
        let rows: Vec<Value> = messages
            .iter()
            .map(|message| {
                json!({
                    "bot": message.chatbot, "tenant": message.organization, "dialogue": message.session, "speaker": message.role,
                    "said_at": message.at.to_string(), "took_ms": message.response_time_ms, "went_wrong": message.failed,
                    "prompt_tokens": message.input_tokens, "completion_tokens": message.output_tokens, "llm": message.model,
                    "stars": message.satisfaction,
                })
            })
            .collect();
        let insert =
            "INSERT INTO public.utterances SELECT * FROM jsonb_populate_recordset(NULL::public.utterances, $1)";
        self.writer.execute(insert, &[&Value::Array(rows)]).await.unwrap();
    }

    /// One message of now, with tokens.
    async fn say(&self, organization: &str, chatbot: &str, role: &str) {
        let say = "INSERT INTO public.utterances (bot, tenant, dialogue, speaker, said_at, took_ms, prompt_tokens, llm)
                   VALUES ($2, $1, 1, $3, clock_timestamp(), 250, 1000000, 'm')";
        self.writer.execute(say, &[&organization, &chatbot, &role]).await.unwrap();
    }

    /// Calls `measure()` with the rights of a server; its outcome.
    async fn measure(&self) -> String {
        self.server.query_one("SELECT outcome FROM rowcast.measure()", &[]).await.unwrap().get(0)
    }

    async fn number(&self, sql: &str) -> i64 {
        self.dba.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// One column of texts.
    async fn texts(&self, sql: &str) -> Vec<String> {
        self.dba.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}
