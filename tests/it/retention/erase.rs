//! The right to be forgotten, in the outbox and in the memory of every server.

use serde_json::json;

use super::Stage;
use crate::harness::{Role, Server, sse, token};

const ERASE: &str = "SELECT rowcast.erase('public.docs', '7')";

/// An attached table with some rows, of which 7 has two events.
async fn stage() -> Stage {
    let stage = Stage::new(100).await;
    stage
        .writer
        .batch_execute(
            "CREATE TABLE public.docs (id int PRIMARY KEY, org text, title text);
             SELECT rowcast.attach('public.docs', 'document_processing', organization_id => 'r.org');
             INSERT INTO docs VALUES (6, 'o1', 'six'), (7, 'o1', 'seven');
             UPDATE docs SET title = 'SEVEN' WHERE id = 7",
        )
        .await
        .unwrap();
    let join = "INSERT INTO rowcast.memberships (user_id, organization_id, role) VALUES ('ann', 'o1', 'member')";
    stage.execute(join).await;
    stage
}

async fn replay(server: &Server) -> Vec<(String, serde_json::Value)> {
    let mut client = sse::Client::connect(&server.url(), &token("ann"), Some("0")).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        let event = client.next_of("document_processing").await.json();
        told.push((event["key"].as_str().unwrap().to_owned(), event["data"].clone()));
    }
    told
}

#[tokio::test]
async fn all_that_events_say_of_a_row_is_forgotten_everywhere() {
    let stage = stage().await;
    let servers = [Server::start(&stage.db).await, Server::start(&stage.db).await];
    for server in &servers {
        assert_eq!(replay(server).await[2].1["title"], "SEVEN");
    }
    assert_eq!(stage.number(ERASE).await, 2);
    let erased = json!({"erased": true});
    let data = "SELECT count(*) FROM rowcast.outbox WHERE source_key = '7' AND data = '{\"erased\": true}'";
    assert_eq!(stage.number(data).await, 2);
    for server in &servers {
        crate::harness::eventually("the server to forget", async || {
            let told = replay(server).await;
            assert_eq!(told[0].1["title"], "six", "others are left alone");
            (told[1..] == [("7".into(), erased.clone()), ("7".into(), erased.clone())]).then_some(())
        })
        .await;
    }
    assert_eq!(stage.number(ERASE).await, 0, "nothing is left to erase");
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_rolled_back_erasure_is_none() {
    let stage = stage().await;
    let server = Server::start(&stage.db).await;
    stage.execute("BEGIN; SELECT rowcast.erase('public.docs', '7'); ROLLBACK").await;
    stage.writer.batch_execute("UPDATE docs SET title = 'again' WHERE id = 7").await.unwrap();
    assert_eq!(replay(&server).await[2].1["title"], "SEVEN");
    server.stop().await;
}

#[tokio::test]
async fn writers_do_not_wait_for_it() {
    let stage = stage().await;
    let erasing = stage.db.connect_as(Role::Server).await;
    erasing.batch_execute(&format!("BEGIN; {ERASE}")).await.unwrap();
    stage.writer.batch_execute("UPDATE docs SET title = 'new' WHERE id = 7").await.unwrap();
    erasing.batch_execute("COMMIT").await.unwrap();
    let left = "SELECT count(*) FROM rowcast.outbox WHERE source_key = '7' AND data->>'title' = 'new'";
    assert_eq!(stage.number(left).await, 1, "what came later says something new");
}

#[tokio::test]
async fn only_owner_and_server_may() {
    let stage = stage().await;
    for role in [Role::Writer, Role::App, Role::Reader] {
        let error = stage.db.connect_as(role).await.batch_execute(ERASE).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().code().code(), "42501", "{role:?}: {error:?}");
    }
    stage.db.connect().await.batch_execute(ERASE).await.unwrap();
    for missing in ["rowcast.erase(NULL, '7')", "rowcast.erase('public.docs', NULL)"] {
        let error = stage.superuser.batch_execute(&format!("SELECT {missing}")).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().code().code(), "22004", "{error:?}");
    }
}
