//! The outbox over time: partitions, the end of history, and who may never have to wait for either.

mod access;
mod ahead;
mod default;
mod erase;
mod expiry;
mod history;
mod index;
mod waiting;

use tokio_postgres::Client;

use crate::harness::{Database, Role};

/// A database whose partitions are small, and whoever takes part in it.
struct Stage {
    db: Database,
    /// Calls `maintain()` with what the migration has granted, and no more.
    server: Client,
    /// Writes events.
    writer: Client,
    superuser: Client,
}

/// A row of what `maintain()` returns.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    action: String,
    partition: String,
    detail: String,
}

impl Stage {
    /// Partitions of `size` ids; the first of them is there.
    async fn new(size: i64) -> Self {
        let db = Database::new().await;
        let superuser = db.connect_as(Role::Superuser).await;
        let small = format!(
            "DROP TABLE rowcast.outbox_1; UPDATE rowcast.settings SET value = '{size}' WHERE name = 'partition_size'"
        );
        db.connect().await.batch_execute(&small).await.unwrap();
        let stage = Self {
            server: db.connect_as(Role::Server).await,
            writer: db.connect_as(Role::Writer).await,
            superuser,
            db,
        };
        assert_eq!(stage.maintain().await, ["created outbox_1"]);
        stage
    }

    /// Writes so many events, each of its own size, and returns the last one's id.
    async fn emit(&self, count: i64) -> i64 {
        emit(&self.writer, count).await
    }

    /// What the servers would store once they had seen all of it.
    async fn settle(&self, id: i64) {
        self.execute(&format!("UPDATE rowcast.settled SET undecided = int8multirange(int8range({id} + 1, NULL))"))
            .await;
    }

    /// Lets events up to this id have been written some days ago.
    async fn age(&self, through: i64, days: i64) {
        let age =
            format!("UPDATE rowcast.outbox SET created_at = created_at - interval '{days} days' WHERE id <= {through}");
        self.execute(&age).await;
    }

    async fn execute(&self, statements: &str) {
        self.superuser.batch_execute(statements).await.unwrap();
    }

    /// Calls `maintain()` once, as the server.
    async fn steps(&self) -> Vec<Step> {
        steps(&self.server, "SELECT * FROM rowcast.maintain()").await
    }

    /// The same, in short: what was done to which partition.
    async fn maintain(&self) -> Vec<String> {
        self.steps().await.iter().map(Step::summary).collect()
    }

    /// Calls it until there is nothing to do but what is put off.
    async fn maintain_all(&self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let mut steps = self.maintain().await;
            let done = steps.iter().all(|step| step.starts_with("postponed"));
            all.append(&mut steps);
            if done {
                return all;
            }
            assert!(all.len() < 100, "it goes round in circles: {all:?}");
        }
    }

    async fn number(&self, query: &str) -> i64 {
        self.superuser.query_one(query, &[]).await.unwrap().get(0)
    }

    async fn expired_through(&self) -> i64 {
        self.number("SELECT expired_through FROM rowcast.maintenance").await
    }

    async fn ids(&self) -> Vec<i64> {
        let rows = self.superuser.query("SELECT id FROM rowcast.outbox ORDER BY id", &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The partitions but for DEFAULT, with their first and last ids.
    async fn partitions(&self) -> Vec<(String, i64, i64)> {
        let query = "SELECT relname::text, first_id, last_id FROM rowcast.outbox_partitions p JOIN pg_class c ON c.oid = p.partition
                     WHERE first_id IS NOT NULL ORDER BY first_id";
        let rows = self.superuser.query(query, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }
}

impl Step {
    fn summary(&self) -> String {
        format!("{} {}", self.action, self.partition.trim_start_matches("rowcast."))
    }
}

async fn steps(client: &Client, call: &str) -> Vec<Step> {
    let rows = client.query(call, &[]).await.unwrap();
    rows.iter().map(|row| Step { action: row.get(0), partition: row.get(1), detail: row.get(2) }).collect()
}

async fn emit(client: &Client, count: i64) -> i64 {
    let emit = "SELECT max(rowcast.emit('document_processing', 'o' || n % 7, jsonb_build_object('n', n))) FROM generate_series(1, $1::bigint) n";
    client.query_one(emit, &[&count]).await.unwrap().get(0)
}
