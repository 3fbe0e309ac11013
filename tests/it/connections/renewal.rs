//! The time of a stream: its client is told a minute ahead, and a new token keeps it open.

use std::time::Duration;

use jiff::Timestamp;
use rowcast::access::token::sign;
use serde_json::json;

use super::{PATH, open, refusal};
use crate::{
    documents,
    harness::{Database, SECRET, Server, sse, token},
};

/// A stream whose token is good for so long, and its name.
async fn short_lived(server: &Server, user: &str, seconds: u64) -> (sse::Client, String) {
    let token = sign(SECRET, user, Duration::from_secs(seconds)).unwrap();
    let mut client = sse::Client::connect(&server.url(), &token, None).await;
    let id = documents::status(&mut client).await["connectionId"].as_str().unwrap().to_owned();
    (client, id)
}

async fn renew(server: &Server, headers: &str, id: &str, token: &str) -> (u16, serde_json::Value) {
    let body = json!({"connectionId": id, "action": "renew", "token": token}).to_string();
    let headers = format!("{headers}Content-Type: application/json\r\n");
    let mut answer = sse::Client::request(&server.url(), "POST", PATH, &headers, &body).await;
    (answer.status, serde_json::from_str(&answer.rest().await).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_outlives_its_token_if_it_is_renewed_on_whichever_server_is_asked() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let servers = [Server::start(&db).await, Server::start(&db).await];
    for asked in &servers {
        let begun = Timestamp::now();
        let (mut client, id) = short_lived(&servers[0], "ann", 4).await;
        // It has less than a minute left: the client is told at once.
        let expiring = documents::status(&mut client).await;
        assert_eq!(expiring["status"], "token_expiring");
        let expires_at: Timestamp = expiring["expiresAt"].as_str().unwrap().parse().unwrap();
        assert!(expires_at >= begun && expires_at <= begun + Duration::from_secs(5), "{expiring}");
        let (status, body) = renew(asked, "", &id, &token("ann")).await;
        assert_eq!(status, 200, "{body}");
        let until: Timestamp = body["expiresAt"].as_str().unwrap().parse().unwrap();
        assert!(until > begun + Duration::from_mins(59), "{body}");
        // A token that is good for less does not shorten it.
        let (status, body) = renew(asked, "", &id, &sign(SECRET, "ann", Duration::from_secs(2)).unwrap()).await;
        assert_eq!((status, &body["expiresAt"]), (200, &json!(until.to_string().replace('Z', ".000000Z"))));
        // Well after the first token has expired.
        while Timestamp::now() < expires_at + Duration::from_secs(1) {
            documents::emit(&db, "'document_processing', 'o1', '{}'").await;
            client.next_of("document_processing").await;
        }
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_and_does_not_renew_is_sent_away() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let server = Server::start(&db).await;
    let (mut client, _) = short_lived(&server, "ann", 3).await;
    assert_eq!(documents::status(&mut client).await["status"], "token_expiring");
    let closing = loop {
        let event = client.next_of("connection_status").await.json();
        if event["data"]["status"] == "closing" {
            break event;
        }
    };
    assert_eq!(closing["data"]["reason"], "token_expired");
    assert!(client.next_event().await.is_none());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_renews_a_stream() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let servers = [Server::start(&db).await, Server::start(&db).await];
    let (_client, id) = open(&servers[0], "ann", "").await;
    let bearer = |user| format!("Authorization: Bearer {}\r\n", token(user));
    let expired = sign(SECRET, "ann", Duration::ZERO).unwrap();
    // Beyond the leeway for clocks.
    let forged = sign("another secret of thirty-two bytes or more", "ann", Duration::from_hours(1)).unwrap();
    for server in &servers {
        for (headers, token, expected) in [
            (bearer("ann"), token("ben"), (403, "other_user")),
            (bearer("ben"), token("ann"), (403, "other_user")),
            (String::new(), token("ben"), (404, "connection_not_found")),
            (bearer("ben"), token("ben"), (404, "connection_not_found")),
            (bearer("ann"), forged.clone(), (401, "invalid_token")),
            (String::new(), "nonsense".to_owned(), (401, "invalid_token")),
        ] {
            let answer = renew(server, &headers, &id, &token).await;
            assert_eq!(refusal(&answer), expected);
            assert!(!answer.1.to_string().contains(&token));
        }
        // An expired token in the header is what a renewal is for.
        let headers = format!("Authorization: Bearer {expired}\r\n");
        assert_eq!(renew(server, &headers, &id, &token("ann")).await.0, 200);
    }
    for server in servers {
        server.stop().await;
    }
}
