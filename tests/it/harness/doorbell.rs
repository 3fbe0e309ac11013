//! The doorbell as it can be seen from outside.

use tokio_postgres::Client;

/// How many servers sleep in the client's database: they hold the lock that makes writers ring.
pub(crate) async fn sleepers(client: &Client) -> i64 {
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1919907683 AND objid = 2 AND mode = 'ShareLock'
                AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    client.query_one(held, &[]).await.unwrap().get(0)
}
