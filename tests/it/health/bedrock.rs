//! A model of AWS Bedrock, played by a server that checks the signature as AWS does: by the published algorithm, from what came over the wire.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac::{HMAC_SHA256, Key, sign},
};
use serde_json::{Value, json};

use super::{
    QUICK,
    peer::{Asked, Peer, Says},
    reader, until,
};
use crate::harness::{Database, Server, eventually};

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "a session of the tests";
const MODEL: &str = "amazon.nova-micro-v1:0";

fn settings(url: &str) -> Vec<(&str, &str)> {
    let mut settings = vec![
        ("ROWCAST_HEALTH_LLM_BEDROCK", MODEL),
        ("ROWCAST_HEALTH_LLM_INTERVAL", "200ms"),
        ("ROWCAST_HEALTH_LLM_THRESHOLD", "2s"),
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", SESSION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    settings.extend(QUICK);
    settings
}

/// As Converse answers.
fn answer() -> Says {
    let answer = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "P"}]}},
        "stopReason": "max_tokens",
        "usage": {"inputTokens": 2, "outputTokens": 1, "totalTokens": 3},
        "metrics": {"latencyMs": 5},
    });
    Says::answer("200 OK", &answer.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// Signature Version 4, computed anew.
fn signature(asked: &Asked, secret: &str, date: &str, region: &str, signed: &str) -> String {
    // For all services but S3 each part of the path is encoded once more.
    let path = asked.target.replace('%', "%25");
    let headers = signed.split(';').map(|name| format!("{name}:{}\n", asked.header(name).unwrap()));
    let headers = headers.collect::<Vec<_>>().concat();
    let body = hex(digest(&SHA256, &asked.body).as_ref());
    let canonical = format!("{}\n{path}\n\n{headers}\n{signed}\n{body}", asked.method);
    let day = &date[..8];
    let scope = format!("{day}/{region}/bedrock/aws4_request");
    let hashed = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}");
    let key = mac(format!("AWS4{secret}").as_bytes(), day);
    let key = ["bedrock", "aws4_request"].iter().fold(mac(&key, region), |key, part| mac(&key, part));
    hex(&mac(&key, &text))
}

/// Fails the test unless the request is signed with the tests' credentials, all that matters of it, and now.
fn verify(asked: &Asked) {
    let authorization = asked.header("authorization").unwrap();
    let (kind, fields) = authorization.split_once(' ').unwrap();
    assert_eq!(kind, "AWS4-HMAC-SHA256");
    let field = |name: &str| {
        let field = fields.split(", ").find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        field.unwrap_or_else(|| panic!("no {name} in {authorization}"))
    };
    let (signed, date) = (field("SignedHeaders"), asked.header("x-amz-date").unwrap());
    let day = &date[..8];
    assert_eq!(field("Credential"), format!("{KEY_ID}/{day}/eu-central-1/bedrock/aws4_request"));
    for name in ["content-type", "host", "x-amz-date", "x-amz-security-token"] {
        assert!(signed.split(';').any(|found| found == name), "{name} is not signed");
    }
    assert_eq!(asked.header("x-amz-security-token"), Some(SESSION));
    let at: jiff::civil::DateTime = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).unwrap();
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    assert!(jiff::Timestamp::now().duration_since(at).as_secs().abs() < 60, "{date}");
    assert_eq!(field("Signature"), signature(asked, SECRET, date, "eu-central-1", signed));
    // And the check checks.
    assert_ne!(field("Signature"), signature(asked, "another", date, "eu-central-1", signed));
    let altered = Asked { body: b"{}".to_vec(), ..asked.clone() };
    assert_ne!(field("Signature"), signature(&altered, SECRET, date, "eu-central-1", signed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_asked_for_one_token_with_a_signature_that_holds() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let peer = Peer::start(answer()).await;
    let url = format!("http://{}", peer.address);
    let server = Server::start_with(&db, &settings(&url)).await;
    let asked = eventually("a request", async || peer.asked().first().cloned()).await;
    assert_eq!((&*asked.method, &*asked.target), ("POST", "/model/amazon.nova-micro-v1%3A0/converse"));
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 1}));
    assert_eq!(body["messages"], json!([{"role": "user", "content": [{"text": "ping"}]}]));
    verify(&asked);
    let healthy = until(&reader, "llm_api", "response_ms", "healthy").await;
    assert!(healthy.message.starts_with("The language model answered in"), "{healthy:?}");

    for (says, told) in [
        (
            Says::answer("403 Forbidden", r#"{"message": "the security token is invalid"}"#),
            "refused the credentials (403)",
        ),
        (Says::answer("200 OK", "{}"), "is no answer of a model"),
        (Says::answer("429 Too Many Requests", ""), "too many requests"),
    ] {
        peer.say(says);
        let down = until(&reader, "llm_api", "response_ms", "down").await;
        assert!(down.message.contains(told), "{down:?}");
        peer.say(answer());
        until(&reader, "llm_api", "response_ms", "healthy").await;
    }
    for mark in [SECRET, SESSION, KEY_ID] {
        assert!(!server.log().contains(mark), "credentials in the log");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_credentials_or_a_region_it_is_down_and_says_so() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let peer = Peer::start(answer()).await;
    let url = format!("http://{}", peer.address);
    let files = [("AWS_CONFIG_FILE", "/nowhere"), ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")];
    for (without, told) in [("AWS_REGION", "set AWS_REGION"), ("AWS_ACCESS_KEY_ID", "no credentials of AWS")] {
        let kept: Vec<_> = settings(&url).into_iter().filter(|(name, _)| *name != without).chain(files).collect();
        let server = Server::start_with(&db, &kept).await;
        let message = eventually("it to say so", async || {
            let down = until(&reader, "llm_api", "response_ms", "down").await;
            down.message.contains(told).then_some(down.message)
        });
        message.await;
        server.stop().await;
        let reset = "DELETE FROM rowcast.health_checks";
        db.connect().await.batch_execute(reset).await.unwrap();
    }
    assert!(peer.asked().is_empty(), "a request without a signature was sent");
}
