//! What users do with their streams, as rows and as events: told in order, to those who may know, once, and never at the expense of a stream.

mod dead_servers;
mod outages;
mod privacy;
mod storms;
mod streams;

use serde_json::Value;
use tokio_postgres::Client;

use crate::harness::{Database, eventually};

/// Told of.
const ON: (&str, &str) = ("ROWCAST_ACTIVITY", "true");

/// What was told, in the order of its events: organization (`-` for the platform), user, action, and event types or reason.
async fn story(client: &Client) -> Vec<String> {
    let query = "SELECT concat_ws(' ', coalesce(organization_id, CASE audience WHEN 'platform' THEN '-' ELSE audience END), data ->> 'userId', data ->> 'action',
                                  (SELECT string_agg(t, ',') FROM jsonb_array_elements_text(data #> '{metadata,eventTypes}') t), data #>> '{metadata,reason}')
                 FROM rowcast.outbox WHERE event_type = 'user_activity' ORDER BY id";
    client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Waits until so much has been told.
async fn told(client: &Client, count: usize) -> Vec<String> {
    eventually(&format!("{count} rows of activity"), async || {
        let story = story(client).await;
        (story.len() >= count).then_some(story)
    })
    .await
}

async fn number(client: &Client, query: &str) -> i64 {
    client.query_one(query, &[]).await.unwrap().get(0)
}

/// The data of all that was told, which is what clients are told to expect, to the letter.
async fn data(db: &Database) -> Vec<Value> {
    let query = "SELECT jsonb_build_object('type', event_type, 'data', data)::text FROM rowcast.outbox WHERE event_type = 'user_activity' ORDER BY id";
    let rows = db.connect().await.query(query, &[]).await.unwrap();
    let texts = rows.iter().map(|row| row.get::<_, String>(0));
    texts
        .map(|text| {
            let payload: rowcast::payload::Payload =
                serde_json::from_str(&text).unwrap_or_else(|wrong| panic!("{wrong}: {text}"));
            assert!(matches!(payload, rowcast::payload::Payload::UserActivity(_)));
            serde_json::from_str::<Value>(&text).unwrap()["data"].clone()
        })
        .collect()
}
