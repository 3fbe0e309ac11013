//! Whose tokens are believed, over real HTTP: the issuer's, as long as its keys are known, and nobody else's, however it is tried.

mod forged;
mod keys;
mod logged;
mod settings;

use serde_json::Value;

use crate::harness::{Database, Issuer, PATIENCE, Server, sse};

/// Where a token is checked and an answer comes at once.
pub(crate) const EVENTS: &str = "/api/v1/realtime/events";

/// Settings of a server that believes this issuer, and nobody else.
fn of(issuer: &Issuer) -> [(&'static str, &str); 2] {
    [("ROWCAST_JWT_SECRET", ""), ("ROWCAST_JWKS_URL", issuer.url())]
}

/// A database in which `ann` is somebody.
pub(crate) async fn with_ann() -> Database {
    let db = Database::new().await;
    db.connect().await.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
    db
}

/// What the server says to a token.
async fn ask(server: &Server, token: &str) -> Answer {
    request(server, "GET", EVENTS, &format!("Authorization: Bearer {token}\r\n")).await
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) async fn request(server: &Server, method: &str, target: &str, headers: &str) -> Answer {
    let mut client = sse::Client::request(&server.url(), method, target, headers, "").await;
    let body = tokio::time::timeout(PATIENCE, client.rest()).await.expect("what was to be an answer is a stream");
    Answer { status: client.status, head: client.head.clone(), body }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}\n{}", self.head, self.body))
    }

    /// It must be a refusal with this status and code, as documented, which tells nothing of what was sent.
    #[track_caller]
    pub(crate) fn is_refusal(&self, status: u16, code: &str, sent: &[&str]) {
        let (head, body) = (&self.head, &self.body);
        let json = self.json();
        assert_eq!((self.status, json["error"]["code"].as_str()), (status, Some(code)), "{head}{body}");
        assert_eq!(json["success"], false, "{body}");
        assert!(head.to_ascii_lowercase().contains("cache-control: no-store\r\n"), "{head}");
        let asks = head.to_ascii_lowercase().contains("www-authenticate: bearer\r\n");
        assert_eq!(asks, status == 401, "{head}");
        for part in sent.iter().flat_map(|sent| sent.split(['.', ' ', '=', ';', '&'])).filter(|part| part.len() > 5) {
            assert!(!head.contains(part) && !body.contains(part), "{part} is in\n{head}{body}");
        }
    }
}
