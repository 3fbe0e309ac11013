//! Lives of the database: failover to a standby that had not got everything, restore, and a sequence that a restore has set back.

mod failover;
mod lag;
mod pair;
mod restore;
mod sequence;
mod setback;

use clap::Parser;
use rowcast::{
    app::{App, Error},
    config::Config,
};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::timeout};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

use crate::harness::{GLANCE, PATIENCE, SECRET, eventually, sse, token};

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

/// A server in this process.
struct Serving {
    url: String,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), Error>>,
}

impl Serving {
    async fn start(database_url: &str) -> Result<Self, Error> {
        // A heartbeat would take a quiet client's cursor past events that were never for it, and that are lost later.
        let arguments =
            ["test", "--database-url", database_url, "--jwt-secret", SECRET, "--listen-addr", "127.0.0.1:0"];
        let arguments = Arguments::parse_from([arguments.as_slice(), &["--heartbeat", "1h"]].concat());
        let shutdown = CancellationToken::new();
        let app = App::start(arguments.config, shutdown.clone()).await?;
        Ok(Self { url: app.url(), shutdown, running: tokio::spawn(app.run()) })
    }

    async fn is_ready(&self) -> bool {
        sse::Client::request(&self.url, "GET", "/readyz", "Connection: close\r\n", "").await.status == 200
    }

    async fn until_ready(&self) {
        eventually("the server to be ready", async || self.is_ready().await.then_some(())).await;
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap().unwrap();
    }
}

/// What a stream brings, as far as it concerns these tests.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Heard {
    /// An event's id.
    Event(i64),
    /// A status other than `connected`; `reset` with its reason.
    Status(String),
    /// A heartbeat.
    Beat,
}

/// A stream that keeps its cursor, as a browser does.
struct Listener {
    client: sse::Client,
    cursor: String,
    heard: Vec<Heard>,
}

impl Listener {
    async fn connect(server: &Serving, token: &str, cursor: Option<&str>) -> Self {
        let client = sse::Client::connect(&server.url, token, cursor).await;
        let mut listener = Self { client, cursor: String::new(), heard: Vec::new() };
        assert_eq!(listener.hear().await, Heard::Status("connected".into()));
        listener.heard.clear();
        listener
    }

    async fn hear(&mut self) -> Heard {
        let event = self.client.next_event().await.expect("the stream ended");
        if let Some(id) = &event.id {
            self.cursor.clone_from(id);
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let heard = match event.event.as_str() {
            "cursor" => Heard::Beat,
            "connection_status" => {
                let data = &event.json()["data"];
                let reason = data.get("reason").map(|reason| format!(" {}", text(reason)));
                Heard::Status(text(&data["status"]) + &reason.unwrap_or_default())
            }
            _ => Heard::Event(text(&event.json()["id"]).parse().unwrap()),
        };
        self.heard.push(heard.clone());
        heard
    }

    async fn hear_until(&mut self, wanted: impl Fn(&Heard) -> bool) {
        while !wanted(&self.hear().await) {}
    }

    async fn hear_event(&mut self, id: i64) {
        self.hear_until(|heard| *heard == Heard::Event(id)).await;
    }

    async fn hear_status(&mut self, status: &str) {
        self.hear_until(|heard| *heard == Heard::Status(status.into())).await;
    }

    fn events(&self) -> Vec<i64> {
        self.heard.iter().filter_map(|heard| if let Heard::Event(id) = heard { Some(*id) } else { None }).collect()
    }

    fn resets(&self) -> Vec<&str> {
        let statuses =
            self.heard.iter().filter_map(|heard| if let Heard::Status(status) = heard { Some(status) } else { None });
        statuses.map(String::as_str).filter(|status| status.starts_with("reset")).collect()
    }
}

/// Polls until there is something, as a client does: again when the server is not ready, or has nothing to say.
async fn poll(url: String, user: &'static str, mut after: String) -> Value {
    let headers = format!("Authorization: Bearer {}\r\n", token(user));
    let answered = async {
        loop {
            let target = format!("/api/v1/realtime/events?wait=25&after={after}");
            let mut response = sse::Client::request(&url, "GET", &target, &headers, "").await;
            let answer: Value = serde_json::from_str(&response.rest().await).unwrap();
            if response.status != 200 {
                tokio::time::sleep(GLANCE).await;
                continue;
            }
            if !answer["reset"].is_null() || answer["events"] != json!([]) {
                return answer;
            }
            answer["cursor"].as_str().unwrap().clone_into(&mut after);
        }
    };
    timeout(PATIENCE * 3, answered).await.expect("a poll is never answered with anything")
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Writes an event for an organization and returns its id.
async fn emit(client: &Client, organization: &str) -> i64 {
    let emit = "SELECT rowcast.emit('document_processing', $1, '{}')";
    client.query_one(emit, &[&organization]).await.unwrap().get(0)
}

/// Draws an id that comes to nothing.
async fn roll_back(client: &Client) {
    client.batch_execute("BEGIN").await.unwrap();
    emit(client, "o1").await;
    client.batch_execute("ROLLBACK").await.unwrap();
}

/// The ids of an organization's events.
async fn ids(client: &Client, organization: &str) -> Vec<i64> {
    let ids = "SELECT id FROM rowcast.outbox WHERE organization_id = $1 ORDER BY id";
    client.query(ids, &[&organization]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// The members of two organizations: ann of o1, ben of o2.
async fn add_members(client: &Client) {
    let members = "INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member'), ('ben', 'o2', 'member')";
    client.batch_execute(members).await.unwrap();
}

/// The epochs that were found, and what each inherited.
async fn epochs(client: &Client) -> Vec<(i32, String)> {
    let epochs = "SELECT epoch, inherited FROM rowcast.epochs ORDER BY epoch";
    client.query(epochs, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}
