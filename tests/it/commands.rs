//! What one session of the database tells all servers.

use serde_json::json;
use tokio_postgres::error::SqlState;

use crate::harness::{Database, PATIENCE, Role, Server, eventually, sse, token};

async fn members(db: &Database) -> tokio_postgres::Client {
    let owner = db.connect().await;
    let members = "INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member'), ('ben', 'o1', 'member')";
    owner.batch_execute(members).await.unwrap();
    owner
}

async fn stream(server: &Server, user: &str) -> sse::Client {
    let mut client = sse::Client::connect(&server.url(), &token(user), None).await;
    assert_eq!(client.next_of("connection_status").await.json()["data"]["status"], "connected");
    client
}

/// Reads up to the end, which must be that of somebody who was disconnected.
async fn hear_the_end(client: &mut sse::Client) {
    let to_the_end = async {
        let mut last = None;
        while let Some(event) = client.next_event().await {
            last = Some(event);
        }
        last
    };
    let last = tokio::time::timeout(PATIENCE, to_the_end).await.expect("the stream does not end");
    assert_eq!(last.unwrap().json()["data"], json!({"status": "closing", "reason": "disconnected"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnect_ends_the_streams_of_one_user_on_every_server() {
    let db = Database::new().await;
    let owner = members(&db).await;
    let servers = [Server::start(&db).await, Server::start(&db).await];
    let mut of_ann =
        [stream(&servers[0], "ann").await, stream(&servers[0], "ann").await, stream(&servers[1], "ann").await];
    let mut of_ben = [stream(&servers[0], "ben").await, stream(&servers[1], "ben").await];
    db.connect_as(Role::Server).await.batch_execute("SELECT rowcast.disconnect('ann')").await.unwrap();
    for client in &mut of_ann {
        hear_the_end(client).await;
    }
    // It is of once, not of ever.
    let mut again = stream(&servers[1], "ann").await;
    owner.batch_execute("SELECT rowcast.emit('document_processing', 'o1', '{}')").await.unwrap();
    for client in of_ben.iter_mut().chain([&mut again]) {
        assert_eq!(client.next_event().await.unwrap().event, "document_processing");
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnect_that_is_said_while_a_server_has_no_database_reaches_it() {
    let db = Database::new().await;
    drop(members(&db).await);
    let server = Server::start(&db).await;
    let mut ann = stream(&server, "ann").await;
    let mut ben = stream(&server, "ben").await;
    let superuser = db.connect_as(Role::Superuser).await;
    let allow = async |allowed: bool| {
        let allow = "UPDATE pg_database SET datallowconn = $1 WHERE datname = current_database()";
        superuser.execute(allow, &[&allowed]).await.unwrap();
    };
    allow(false).await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'server%'";
    superuser.execute(cut, &[]).await.unwrap();
    assert_eq!(ben.next_of("connection_status").await.json()["data"], json!({"status": "degraded"}));
    superuser.batch_execute("SELECT rowcast.disconnect('ann')").await.unwrap();
    allow(true).await;
    hear_the_end(&mut ann).await;
    assert_eq!(ben.next_of("connection_status").await.json()["data"], json!({"status": "recovered"}));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_erased_is_gone_from_the_memory_of_every_server() {
    let db = Database::new().await;
    let owner = members(&db).await;
    let writer = db.connect_as(Role::Writer).await;
    let table = "CREATE TABLE docs (id int PRIMARY KEY, name text);
        SELECT rowcast.attach('docs', 'document_processing', organization_id => '''o1''')";
    writer.batch_execute(table).await.unwrap();
    let servers = [Server::start(&db).await, Server::start(&db).await];
    writer.batch_execute("INSERT INTO docs VALUES (1, 'of ann'), (2, 'of ben')").await.unwrap();
    for server in &servers {
        // Rendered once, so that there is a frame to forget.
        let mut early = sse::Client::connect(&server.url(), &token("ann"), Some("0")).await;
        assert_eq!(early.next_of("document_processing").await.json()["data"]["name"], "of ann");
    }
    let erase = "SELECT rowcast.tell_servers('erase', '{\"source\": \"public.docs\", \"source_key\": \"1\"}')";
    owner.batch_execute(erase).await.unwrap();
    for server in &servers {
        eventually("the row to be forgotten", async || {
            let mut late = sse::Client::connect(&server.url(), &token("ann"), Some("0")).await;
            let data = [late.next_of("document_processing").await, late.next_of("document_processing").await]
                .map(|event| event.json()["data"].clone());
            assert_eq!(data[1], json!({"id": 2, "name": "of ben"}));
            (data[0] == json!({"erased": true})).then_some(())
        })
        .await;
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn only_the_server_and_the_owner_may_disconnect() {
    let db = Database::new().await;
    for (role, may) in
        [(Role::Owner, true), (Role::Server, true), (Role::Writer, false), (Role::Reader, false), (Role::App, false)]
    {
        let client = db.connect_as(role).await;
        for (call, may) in [
            ("SELECT rowcast.disconnect('ann')", may),
            ("SELECT rowcast.tell_servers('erase', '{}')", role == Role::Owner),
        ] {
            let refused = client.batch_execute(call).await.err().and_then(|error| error.code().cloned());
            assert_eq!(refused, (!may).then_some(SqlState::INSUFFICIENT_PRIVILEGE), "{role:?}: {call}");
        }
    }
    let nobody = db.connect().await.batch_execute("SELECT rowcast.disconnect(NULL)").await.unwrap_err();
    assert_eq!(nobody.code(), Some(&SqlState::NULL_VALUE_NOT_ALLOWED));
}
