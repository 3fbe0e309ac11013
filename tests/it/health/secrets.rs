//! What nobody is to read in an event, in the table, or in the log: it is planted everywhere, and looked for.

use super::{
    QUICK, figures,
    peer::{Peer, Says},
    reader, until,
};
use crate::harness::{Database, Role, Server};

const MARK: &str = "hunter2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_what_is_asked_or_answered_is_told() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let peer = Peer::start(Says::answer("200 OK", MARK)).await;
    let url = format!("http://ann:{MARK}@{}/{MARK}?key={MARK}#{MARK}", peer.address);
    let body = format!("{{\"key\": \"{MARK}\"}}");
    // Postgres would repeat it.
    let query = format!("SELECT '{MARK}'::integer");
    let settings = [
        ("ROWCAST_HEALTH_INTERVAL", "100ms"),
        ("ROWCAST_HEALTH_VECTOR_QUERY", query.as_str()),
        ("ROWCAST_HEALTH_LLM_URL", &url),
        ("ROWCAST_HEALTH_LLM_BODY", &body),
        ("ROWCAST_HEALTH_LLM_INTERVAL", "100ms"),
        ("ROWCAST_HEALTH_LLM_HEADERS", "x-key=PLANTED_KEY"),
        ("PLANTED_KEY", MARK),
        ("ROWCAST_LOG", "rowcast=trace,reqwest=debug,hyper=info,warn"),
    ];
    let settings = [&QUICK[..], &settings].concat();
    let server = Server::start_with(&db, &settings).await;
    until(&reader, "vector_search", "response_ms", "down").await;
    for says in [
        Says::answer("200 OK", MARK),
        Says::answer(&format!("500 {MARK}"), MARK),
        Says::answer("401 Unauthorized", MARK),
        Says::Raw(format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/{MARK}\r\nContent-Length: 0\r\n\r\n")),
        Says::Raw(format!("{MARK}\r\n\r\n")),
        Says::Raw(format!("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{MARK}")),
    ] {
        let before = peer.asked().len();
        peer.say(says);
        crate::harness::eventually("it to be asked", async || (peer.asked().len() > before + 2).then_some(())).await;
    }
    until(&reader, "llm_api", "response_ms", "down").await;
    let asked = peer.asked().pop().unwrap();
    let brought = format!("{asked:?}{}", String::from_utf8_lossy(&asked.body));
    assert!(asked.header("x-key") == Some(MARK) && asked.header("authorization").is_some(), "{brought}");
    assert!(brought.matches(MARK).count() >= 3, "nothing was planted: {brought}");

    let superuser = db.connect_as(Role::Superuser).await;
    let told = "SELECT (SELECT string_agg(h::text, '') FROM rowcast.health_checks h) || (SELECT string_agg(o::text, '') FROM rowcast.outbox o)";
    let told: String = superuser.query_one(told, &[]).await.unwrap().get(0);
    assert!(told.contains("llm_api") && told.contains("SQLSTATE 22P02"), "{told}");
    assert!(!told.contains(MARK), "{told}");
    assert!(!figures(&server).await.contains(MARK));
    assert!(server.log().contains("llm_api") && !server.log().contains(MARK), "it is in the log");
    server.stop().await;
}
