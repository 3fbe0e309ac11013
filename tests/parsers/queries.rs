//! Query strings and headers of the API, at the real server: whatever is in them, the answer is of a documented kind, repeats nothing, and shows nobody's events but one's own.

use proptest::prelude::*;

use crate::{
    harness::{Database, Role, Server, token},
    requests::{exchange, status},
    try_out,
};

const CASES: u32 = 400;

/// In everything that is sent.
const NEEDLE: &str = "n33dle";

/// In every event that is not ann's.
const SECRET: &str = "for-others-only";

/// A server with events in two organizations, of which ann is in one.
async fn server(db: &Database) -> Server {
    let owner = db.connect().await;
    owner
        .batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member'), ('bob', NULL, 'admin')")
        .await
        .unwrap();
    let writer = db.connect_as(Role::Writer).await;
    writer
        .batch_execute(&format!(
            "SELECT rowcast.emit('document_processing', 'o1', '{{\"text\": \"hers\"}}');
             SELECT rowcast.emit('document_processing', 'o2', '{{\"text\": \"{SECRET}\"}}');
             SELECT rowcast.emit('system_health', 'o1', '{{\"text\": \"{SECRET}\"}}');
             SELECT rowcast.emit('system_health', NULL, '{{\"text\": \"{SECRET}\"}}')"
        ))
        .await
        .unwrap();
    let settings = [
        ("ROWCAST_HEARTBEAT", "50ms"),
        ("ROWCAST_MAX_CONNECTIONS_PER_USER", "10000"),
        ("ROWCAST_CONNECTS_PER_MINUTE", "10000000"),
    ];
    Server::start_with(db, &settings).await
}

fn name() -> impl Strategy<Value = String> {
    let known = ["subscriptions", "organizationId", "lastEventId", "after", "access_token", "ticket"];
    let odd = [
        "organization_id",
        "ORGANIZATIONID",
        "organizationId%00",
        "organizationId[]",
        "%6Frganization%49d",
        "request",
        "",
        NEEDLE,
    ];
    prop_oneof![4 => prop::sample::select(known.to_vec()), 1 => prop::sample::select(odd.to_vec())]
        .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    let known = [
        "o1",
        "o2",
        "document_processing",
        "system_health",
        "document_processing,system_health",
        "0",
        "2",
        "connection_status",
    ];
    let odd = [
        "",
        "o1,o2",
        "o1%00",
        "%00",
        "%ff%fe",
        "%",
        "%2",
        "%zz",
        "+",
        "o1%20",
        "O1",
        "%D9%A3",
        "0~1-2.4",
        "99999999999999999999",
        "-1",
        ",,,",
        "*",
        "o1'%20OR%20'1'='1",
        "{\"a\":1}",
        "%0d%0aX-Injected:%20yes",
        "../../etc/passwd",
        "%25%30%30",
        "<script>n33dle</script>",
        "n33dle",
    ];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        3 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        1 => "[!-~&&[^#]]{0,30}",
        1 => (1_usize..9_000).prop_map(|length| NEEDLE.repeat(length / NEEDLE.len() + 1)),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let parameter = (name(), value(), prop::sample::select(vec!["=", "=", "=", "", "=="]));
    let parameters =
        prop::collection::vec((parameter, prop::sample::select(vec!["&", "&", "&", ";", "&&", "?"])), 0..5);
    parameters.prop_map(|parameters| {
        parameters
            .into_iter()
            .flat_map(|((name, value, equals), separator)| [name, equals.to_owned(), value, separator.to_owned()])
            .collect()
    })
}

/// What an answer must be like, whatever was asked.
fn check(answer: &str, request: &str) -> Result<(), TestCaseError> {
    let short: String = request.chars().take(300).collect();
    prop_assert!(matches!(status(answer), Some(200 | 400 | 401 | 403 | 404 | 414 | 431)), "{}\n{}", short, answer);
    prop_assert!(!answer.contains(SECRET), "{}\n{}", short, answer);
    prop_assert!(!answer.contains(NEEDLE) && !answer.contains("X-Injected"), "{}\n{}", short, answer);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_query_says_the_answer_is_documented_and_ones_own() {
    let db = Database::new().await;
    let server = server(&db).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let token = token("ann");
    let targets = prop::sample::select(vec![
        "/api/v1/realtime/events?wait=0&",
        "/api/v1/realtime/events?wait=0&after=0&",
        "/api/v1/realtime/sse?",
    ]);
    tokio::task::block_in_place(|| {
        try_out(CASES, &(targets, query()), |(target, query)| {
            // What no request line may hold is the business of another test.
            let query = query.replace([' ', '"', '<', '>', '\\', '^', '`', '{', '|', '}'], "_");
            let request = format!(
                "GET {target}{query} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
            );
            check(&exchange(&address, request.as_bytes()), &request)
        });
    });
    assert!(server.is_ready().await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_out_of_range_are_refused() {
    let db = Database::new().await;
    let server = server(&db).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let token = token("ann");
    let number = prop_oneof![
        "-[0-9]{1,30}",
        "[1-9][0-9]{3,40}",
        "[a-z]{1,9}",
        "[0-9]\\.[0-9]",
        "0x[0-9]",
        "%D9%A3",
        "1e[0-9]",
        "",
    ];
    let name = prop::sample::select(vec!["wait", "limit"]);
    tokio::task::block_in_place(|| {
        try_out(CASES / 2, &(name, number), |(name, number)| {
            let request = format!(
                "GET /api/v1/realtime/events?{name}={number} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
            );
            let answer = exchange(&address, request.as_bytes());
            prop_assert_eq!(status(&answer), Some(400), "{}\n{}", request, answer);
            Ok(())
        });
    });
    server.stop().await;
}

/// Of the headers that say who asks and from where, in any number and form.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_headers_say_nobody_is_let_in_without_a_token() {
    let db = Database::new().await;
    let server = server(&db).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let valid = token("ann");
    let tampered = format!("{valid}x");
    let value = prop_oneof![
        prop::sample::select(vec![
            "Bearer",
            "Bearer ",
            "bearer n33dle",
            "Basic YWxhZGRpbjpvcGVu",
            "Bearer null",
            "Bearer a.b.c",
            "Bearer  ",
            "",
            "n33dle",
            "0",
            "o1",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>().prop_filter("ends the line", |byte| !matches!(byte, b'\r' | b'\n')), 0..60),
        Just(format!("Bearer {tampered}").into_bytes()),
        Just(format!("Token {valid}").into_bytes()),
        Just(valid.clone().into_bytes()),
    ];
    let name = prop::sample::select(vec![
        "Authorization",
        "authorization",
        "Proxy-Authorization",
        "Cookie",
        "Last-Event-ID",
        "X-Forwarded-For",
        "X-User",
        "Origin",
    ]);
    let headers = prop::collection::vec((name, value), 0..5);
    tokio::task::block_in_place(|| {
        try_out(CASES, &headers, |headers| {
            let mut request =
                b"GET /api/v1/realtime/events?wait=0&after=0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n".to_vec();
            for (name, value) in headers {
                request.extend([name.as_bytes(), b": ", &value, b"\r\n"].concat());
            }
            request.extend(b"\r\n");
            let answer = exchange(&address, &request);
            let request = String::from_utf8_lossy(&request);
            prop_assert!(matches!(status(&answer), Some(400 | 401)), "{}\n{}", request, answer);
            check(&answer, &request)
        });
    });
    assert!(server.is_ready().await);
    server.stop().await;
}
