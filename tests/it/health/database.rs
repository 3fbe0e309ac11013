//! The database as it is watched: what is measured, and what is left out where the role may not see it.

use std::collections::BTreeSet;

use tokio_postgres::Client;

use super::{QUICK, reader, until};
use crate::{
    fresh_role,
    harness::{Database, Place, Role, Server, eventually},
};

const DATABASE: [(&str, &str); 1] = [("ROWCAST_HEALTH_INTERVAL", "100ms")];

async fn metrics(reader: &Client) -> BTreeSet<String> {
    let metrics = "SELECT metric FROM rowcast.health WHERE component = 'database'";
    reader.query(metrics, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Somebody whose role may see what others do.
struct Seeing<'a> {
    db: &'a Database,
    role: String,
}

impl Place for Seeing<'_> {
    fn url_as(&self, role: Role) -> String {
        let url = self.db.url_as(role);
        if role == Role::Server { url.replace(Role::Server.name(), &self.role) } else { url }
    }
}

async fn seeing(db: &Database) -> Seeing<'_> {
    let superuser = db.connect_as(Role::Superuser).await;
    let role = fresh_role("seeing");
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD '{role}' IN ROLE rowcast_server, pg_read_all_stats");
    superuser.batch_execute(&create).await.unwrap();
    Seeing { db, role }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_role_may_not_see_is_left_out_and_said_once() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let settings = [&QUICK[..], &DATABASE].concat();
    let server = Server::start_with(&db, &settings).await;
    for metric in ["connect_ms", "query_ms", "connections_percent"] {
        let check = until(&reader, "database", metric, "healthy").await;
        assert!(check.value > 0.0, "{metric}: {check:?}");
    }
    // Several times since.
    let rounds = "SELECT done_at FROM rowcast.duties WHERE name = 'health_database' AND done_at > clock_timestamp() - interval '50 ms'";
    for _ in 0..3 {
        eventually("another round", async || reader.query_opt(rounds, &[]).await.unwrap()).await;
    }
    assert_eq!(server.log().matches("are left out of the health of the database").count(), 1, "{}", server.log());
    server.stop().await;
    assert_eq!(metrics(&reader).await, ["connect_ms", "connections_percent", "query_ms"].map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_transactions_and_many_connections_are_seen_by_who_may() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let place = seeing(&db).await;
    let mut settings = [&QUICK[..], &DATABASE].concat();
    settings.extend([("ROWCAST_HEALTH_LONGEST_TRANSACTION", "1s"), ("ROWCAST_HEALTH_CONNECTIONS_PERCENT", "1")]);
    let server = Server::start_with(&place, &settings).await;
    let mut other = db.connect_as(Role::App).await;
    let open = other.transaction().await.unwrap();
    open.batch_execute("SELECT 1").await.unwrap();
    let long = until(&reader, "database", "longest_transaction_seconds", "degraded").await;
    // Just above, and rounded.
    assert!(long.value >= 1.0 && long.message.contains("more than 1 s"), "{long:?}");
    open.rollback().await.unwrap();

    // 1 % of 500.
    let many: Vec<Client> = futures_util::future::join_all((0..10).map(|_| db.connect_as(Role::App))).await;
    let crowded = until(&reader, "database", "connections_percent", "degraded").await;
    let used = "SELECT 100.0::float8 * count(*) / current_setting('max_connections')::int FROM pg_stat_activity WHERE datid IS NOT NULL AND usesysid IS NOT NULL";
    let used: f64 = reader.query_one(used, &[]).await.unwrap().get(0);
    assert!(crowded.value > 1.0 && used > 1.0, "{crowded:?}, {used}");
    drop(many);
    assert!(!metrics(&reader).await.contains("replication_lag_seconds"), "there is no standby");
    assert!(!server.log().contains("left out"), "it sees everything");
    server.stop().await;
}
