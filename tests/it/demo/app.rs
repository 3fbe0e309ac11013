//! The simulated app itself.

use std::time::Duration;

use rowcast::demo::{self, Model, Options, simulation::Simulation};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use super::{STEPS, installed, simulate};

async fn what_was_said(client: &Client) -> Vec<String> {
    let rows = client
        .query(
            "SELECT concat_ws(' ', role, status, tokens, content, error_message) FROM chatbot.messages ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn the_same_seed_tells_the_same_story() {
    let mut stories = Vec::new();
    for seed in [3, 3, 4] {
        let (_db, client) = installed().await;
        simulate(&client, seed, 300).await;
        stories.push(what_was_said(&client).await);
    }
    assert!(stories[0].len() > 50);
    assert_eq!(stories[0], stories[1]);
    assert_ne!(stories[0], stories[2]);
}

#[tokio::test]
async fn visitors_come_as_in_the_trace() {
    let (_db, client) = installed().await;
    simulate(&client, 1, STEPS).await;
    let row = client
        .query_one(
            "SELECT array_agg(tokens ORDER BY id) FILTER (WHERE role = 'user'), corr(length(content), tokens) FILTER (WHERE role = 'bot'),
                    bool_and(response_time_ms - 12 * tokens IN (350, 5850)) FILTER (WHERE role = 'bot' AND status = 'completed'),
                    count(*) FILTER (WHERE response_time_ms - 12 * tokens = 5850)
             FROM chatbot.messages",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, Vec<i32>>(0)[..4], [374, 396, 879, 91], "context tokens, in the order of arrival");
    assert!(row.get::<_, f64>(1) > 0.5, "more tokens, longer answers");
    assert!(row.get::<_, bool>(2), "and a longer wait");
    assert!(row.get::<_, i64>(3) > 0, "much longer while the model is overloaded");
}

#[tokio::test]
async fn documents_pass_their_stages_and_their_chunks_are_stored() {
    let (_db, client) = installed().await;
    simulate(&client, 1, STEPS).await;
    let row = client
        .query_one(
            "SELECT count(*) FILTER (WHERE processing_status = 'completed' AND ocr_confidence IS NOT NULL),
                    count(*) FILTER (WHERE processing_status = 'failed'),
                    count(*) FILTER (WHERE processing_status = 'completed'
                        AND page_count * 3 IS DISTINCT FROM (SELECT count(*) FROM chatbot.document_chunks c WHERE c.document_id = d.id))
             FROM chatbot.documents d",
            &[],
        )
        .await
        .unwrap();
    let [completed, failed, incomplete] = [0, 1, 2].map(|column| row.get::<_, i64>(column));
    assert!(completed > 5 && failed > 0, "{completed} completed, {failed} failed");
    assert_eq!(incomplete, 0);
}

#[tokio::test]
async fn a_restarted_app_closes_what_it_left_open() {
    let (_db, client) = installed().await;
    simulate(&client, 1, 300).await;
    let open = "SELECT (SELECT count(*) FROM chatbot.messages WHERE status = 'generating')
        + (SELECT count(*) FROM chatbot.documents WHERE finished_at IS NULL)
        + (SELECT count(*) FROM chatbot.conversation_sessions WHERE ended_at IS NULL)";
    assert!(client.query_one(open, &[]).await.unwrap().get::<_, i64>(0) > 0);
    Simulation::new(&client, 1, Model::default()).await.unwrap();
    assert_eq!(client.query_one(open, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn the_app_goes_on_when_an_organization_is_deleted_under_it() {
    let (_db, client) = installed().await;
    let mut simulation = Simulation::new(&client, 1, Model::default()).await.unwrap();
    for step in 0..1_000 {
        if step == 300 {
            client.batch_execute("DELETE FROM chatbot.organizations WHERE id = 'org_corvid'").await.unwrap();
        }
        simulation.step(&client).await.unwrap();
    }
    let messages = what_was_said(&client).await;
    assert!(messages.len() > 300, "{}", messages.len());
}

#[tokio::test]
async fn an_app_without_its_seed_says_so() {
    let (_db, client) = installed().await;
    client.batch_execute("DELETE FROM chatbot.organizations").await.unwrap();
    let error = Simulation::new(&client, 1, Model::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "the chatbot schema has no chatbot: its seed is missing");
}

#[tokio::test]
async fn it_runs_until_it_is_told_to_stop() {
    let (db, client) = installed().await;
    let shutdown = CancellationToken::new();
    let url = db.url();
    let running = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { demo::run(&url, Options { speed: 100.0, ..Options::default() }, shutdown).await }
    });
    while what_was_said(&client).await.len() < 20 {
        assert!(!running.is_finished(), "the app stopped by itself");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    shutdown.cancel();
    running.await.unwrap().unwrap();
    let connections: i64 = client
        .query_one(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert!(connections <= 1, "{connections} connections are left");
}
