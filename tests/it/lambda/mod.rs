//! `rowcast serve` behind the Lambda Web Adapter: frames come as they are made, and freeze, thaw and the end of an environment lose nothing.
//!
//! The adapter is the real one. Lambda itself is played by [`runtime_api`]: environments are frozen (SIGSTOP) between two requests and killed
//! at their time limit, as Lambda does.

mod runtime_api;

use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tokio_postgres::Client;

use self::runtime_api::RuntimeApi;
use crate::harness::{Database, PATIENCE, Role, Server, eventually, signal, sse, token};

/// What is said of the function's settings in docs/lambda.md.
const SETTINGS: [(&str, &str); 3] =
    [("ROWCAST_POLL", "50ms"), ("ROWCAST_DATABASE_CONNECTIONS", "2"), ("ROWCAST_MAX_STREAM", "14m")];

/// One execution environment: the server, the adapter beside it.
struct Environment {
    server: Server,
    adapter: Child,
    url: String,
}

impl Environment {
    async fn start(db: &Database, settings: &[(&str, &str)]) -> Self {
        let api = RuntimeApi::start().await;
        let settings: Vec<_> = SETTINGS.iter().chain(settings).copied().collect();
        let server = Server::start_with(db, &settings).await;
        let port = server.url().rsplit(':').next().unwrap().to_owned();
        let program = std::env::var("ROWCAST_TEST_LAMBDA_ADAPTER").unwrap_or_else(|_| "lambda-adapter".to_owned());
        let adapter = Command::new(&program)
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "rowcast")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LWA_PORT", port)
            .env("AWS_LWA_READINESS_CHECK_PATH", "/readyz")
            .env("AWS_LWA_INVOKE_MODE", "response_stream")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}; scripts/need.sh lambda-adapter installs it"));
        Self { server, adapter, url: api.function_url }
    }

    /// What Lambda does to an environment that has nothing to answer.
    fn freeze(&self) {
        self.signal("STOP");
    }

    fn thaw(&self) {
        self.signal("CONT");
    }

    /// What Lambda does to an environment whose time is up.
    async fn kill(&mut self) {
        self.adapter.kill().unwrap();
        self.server.kill().await;
    }

    fn signal(&self, name: &str) {
        self.server.signal(name);
        signal(self.adapter.id(), name);
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        // Both fail when it has been killed already.
        let _ = self.adapter.kill();
        let _ = self.adapter.wait();
    }
}

struct Stage {
    db: Database,
    writer: Client,
}

impl Stage {
    async fn new() -> Self {
        let db = Database::new().await;
        let owner = db.connect().await;
        owner.execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')", &[]).await.unwrap();
        Self { db, writer: owner }
    }

    async fn emit(&self, number: i32) {
        let emit = "SELECT rowcast.emit('document_processing', 'o1', jsonb_build_object('number', $1::int))";
        self.writer.execute(emit, &[&number]).await.unwrap();
    }
}

async fn connect(environment: &Environment, cursor: Option<&str>) -> sse::Client {
    sse::Client::connect(&environment.url, &token("ann"), cursor).await
}

/// The number in the next event that has one, and the cursor after it, which only the last event of a write carries.
async fn next_number(client: &mut sse::Client) -> (i64, Option<String>) {
    let event = client.next_of("document_processing").await;
    (event.json()["data"]["number"].as_i64().unwrap(), event.id)
}

async fn next_status(client: &mut sse::Client, status: &str) -> Value {
    let told = async {
        loop {
            let data = client.next_of("connection_status").await.json()["data"].clone();
            if data["status"] == status {
                return data;
            }
        }
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("waited in vain for {status}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_come_one_by_one_as_they_are_made() {
    let stage = Stage::new().await;
    let environment = Environment::start(&stage.db, &[]).await;
    let mut client = connect(&environment, None).await;
    assert_eq!(client.header("content-type"), Some("text/event-stream"));
    next_status(&mut client, "connected").await;
    for number in 1..=5 {
        // The next one is only written when this one has arrived: an answer that is collected anywhere would never come.
        stage.emit(number).await;
        assert_eq!(next_number(&mut client).await.0, i64::from(number));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_environment_goes_on_where_its_clients_left_off() {
    let stage = Stage::new().await;
    let environment = Environment::start(&stage.db, &[("ROWCAST_MAX_STREAM", "2s")]).await;
    let mut client = connect(&environment, None).await;
    stage.emit(1).await;
    let (number, cursor) = next_number(&mut client).await;
    assert_eq!(number, 1);
    assert_eq!(next_status(&mut client, "closing").await["reason"], "max_stream");
    assert_eq!(client.next_event().await, None, "the answer has to end, for the environment to be frozen");

    environment.freeze();
    stage.emit(2).await;
    let rings = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1919907683 AND objid = 2
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let sleepers: i64 = stage.writer.query_one(rings, &[]).await.unwrap().get(0);
    assert_eq!(sleepers, 0, "a frozen server holds the doorbell: every commit would notify nobody");
    // Connections die while nobody looks after them.
    let cut = "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND usename = 'rowcast_test_server'";
    let superuser = stage.db.connect_as(Role::Superuser).await;
    assert!(superuser.query_one(cut, &[]).await.unwrap().get::<_, i64>(0) > 0);
    stage.emit(3).await;
    environment.thaw();

    // What comes back first may be a refusal that asks to come again, as from any server that has just lost its database.
    let client = eventually("the thawed environment to serve", async || {
        let mut client = connect(&environment, cursor.as_deref()).await;
        let first = client.next_of("connection_status").await.json();
        (first["data"]["status"] == "connected").then_some(client)
    });
    let mut client = client.await;
    assert_eq!(next_number(&mut client).await.0, 2);
    assert_eq!(next_number(&mut client).await.0, 3);
    stage.emit(4).await;
    assert_eq!(next_number(&mut client).await.0, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_an_environment_loses_nothing() {
    let stage = Stage::new().await;
    let mut first = Environment::start(&stage.db, &[]).await;
    let mut client = connect(&first, None).await;
    stage.emit(1).await;
    let (number, cursor) = next_number(&mut client).await;
    assert_eq!(number, 1);
    // Committed, and perhaps on its way: the client does not get to read it.
    stage.emit(2).await;
    first.kill().await;
    stage.emit(3).await;

    let second = Environment::start(&stage.db, &[]).await;
    let mut client = connect(&second, cursor.as_deref()).await;
    assert_eq!(next_number(&mut client).await.0, 2);
    assert_eq!(next_number(&mut client).await.0, 3);
}
