//! The server's figures, as Prometheus reads them.

#![expect(clippy::float_cmp, reason = "all that is compared counts something")]

use std::collections::BTreeMap;

use crate::harness::{self, Database, GLANCE, PATIENCE, Role, Server, eventually, sse};

/// The figures by name and labels, as they stand in the text.
async fn figures(url: &str) -> BTreeMap<String, f64> {
    let mut answer = sse::Client::request(url, "GET", "/metrics", "Connection: close\r\n", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let text = answer.rest().await;
    assert!(text.ends_with("# EOF\n"), "cut off: {text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name.into(), value.parse().unwrap()))
        .collect()
}

/// Waits until a figure has this value.
async fn figure_is(url: &str, name: &str, value: f64) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let found = figures(url).await.get(name).copied();
        if found == Some(value) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{name} is {found:?}, not {value}");
        tokio::time::sleep(GLANCE).await;
    }
}

#[tokio::test]
async fn figures_follow_what_happens() {
    let db = Database::new().await;
    let admin = db.connect_as(Role::Superuser).await;
    admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
    let server = Server::start(&db).await;
    let url = server.url();
    let before = figures(&url).await;
    for (name, value) in [
        ("rowcast_tailer_live", 1.0),
        ("rowcast_connections", 0.0),
        ("rowcast_gaps", 0.0),
        ("rowcast_gap_age_seconds", 0.0),
        ("rowcast_pool_limit", 8.0),
        (concat!("rowcast_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0),
    ] {
        assert_eq!(before.get(name), Some(&value), "{name}");
    }
    figure_is(&url, "rowcast_doorbell{state=\"asleep\"}", 1.0).await;
    assert!(before["rowcast_tailer_age_seconds"] < PATIENCE.as_secs_f64());

    let mut stream = sse::Client::connect(&url, &harness::token("ann"), None).await;
    stream.next_of("connection_status").await;
    for organization in ["o1", "elsewhere"] {
        let emit = "SELECT rowcast.emit('document_processing', $1, '{}')";
        admin.execute(emit, &[&organization]).await.unwrap();
    }
    let cursor = stream.next_of("document_processing").await.id.unwrap();
    figure_is(&url, "rowcast_events_read_total{type=\"document_processing\"}", 2.0).await;
    let after = figures(&url).await;
    for (name, value) in [
        ("rowcast_connections", 1.0),
        ("rowcast_connections_opened_total", 1.0),
        ("rowcast_events_sent_total", 1.0),
        ("rowcast_writes_total", 1.0),
        ("rowcast_tailing_lag_seconds_count", 2.0),
        ("rowcast_delivery_lag_seconds_count", 1.0),
        ("rowcast_log_entries", 2.0),
        ("rowcast_events_for_nobody_total", 0.0),
        ("rowcast_responses_total{status=\"200\"}", before["rowcast_responses_total{status=\"200\"}"] + 2.0),
    ] {
        let counts_scrapes = name.contains("responses");
        let found = after[name];
        assert!(if counts_scrapes { found >= value } else { found == value }, "{name}: {found}");
    }
    assert!(after["rowcast_sent_bytes_total"] > 0.0 && after["rowcast_log_bytes"] > 0.0);
    assert!(after["rowcast_grant_queries_total"] >= 1.0 && after["rowcast_listener_connects_total"] >= 1.0);

    drop(stream);
    let mut back = sse::Client::connect(&url, &harness::token("ann"), Some(&cursor)).await;
    back.next_of("connection_status").await;
    assert_eq!(figures(&url).await["rowcast_replays_total{source=\"log\"}"], 1.0);
    let mut lost = sse::Client::connect(&url, &harness::token("ann"), Some("nonsense")).await;
    lost.next_of("connection_status").await;
    assert_eq!(figures(&url).await["rowcast_resets_total{reason=\"invalid_cursor\"}"], 1.0);
    server.stop().await;
}

#[tokio::test]
async fn gaps_are_counted_while_they_last_and_events_that_nobody_may_see_too() {
    let db = Database::new().await;
    let writer = db.connect_as(Role::Writer).await;
    let mut slow = db.connect_as(Role::Writer).await;
    let server = Server::start(&db).await;
    let url = server.url();
    let emit = "SELECT rowcast.emit('document_processing', 'o1', '{}')";
    let open = slow.transaction().await.unwrap();
    open.execute(emit, &[]).await.unwrap();
    writer.execute(emit, &[]).await.unwrap();
    figure_is(&url, "rowcast_gaps", 1.0).await;
    figure_is(&url, "rowcast_settled_lag", 2.0).await;
    eventually("the gap to age", async || (figures(&url).await["rowcast_gap_age_seconds"] > 0.0).then_some(())).await;
    open.rollback().await.unwrap();
    figure_is(&url, "rowcast_gaps", 0.0).await;
    figure_is(&url, "rowcast_gap_age_seconds", 0.0).await;
    figure_is(&url, "rowcast_settled_lag", 0.0).await;

    let attach = "CREATE TABLE orphans (id int PRIMARY KEY, organization_id text);
                  SELECT rowcast.attach('orphans', 'document_processing', organization_id => 'r.organization_id');
                  INSERT INTO orphans VALUES (1, NULL)";
    writer.batch_execute(attach).await.unwrap();
    figure_is(&url, "rowcast_events_for_nobody_total", 1.0).await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_was_away_for_longer_than_the_log_is_long_reads_from_the_outbox() {
    let db = Database::new().await;
    let admin = db.connect_as(Role::Superuser).await;
    let full = "INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member');
                SELECT rowcast.emit('document_processing', 'o1', jsonb_build_object('text', repeat('x', 50000)))
                FROM generate_series(1, 40)";
    admin.batch_execute(full).await.unwrap();
    let server = Server::start_with(&db, &[("ROWCAST_LOG_MIB", "1")]).await;
    let url = server.url();
    let before = figures(&url).await;
    assert!(before["rowcast_log_entries"] < 40.0 && before["rowcast_log_bytes"] <= before["rowcast_log_limit_bytes"]);
    assert!(before["rowcast_log_age_seconds"] > 0.0);
    let mut stream = sse::Client::connect(&url, &harness::token("ann"), Some("0")).await;
    for _ in 0..40 {
        stream.next_of("document_processing").await;
    }
    figure_is(&url, "rowcast_connections_behind", 0.0).await;
    let after = figures(&url).await;
    assert_eq!((after["rowcast_replays_total{source=\"outbox\"}"], after["rowcast_events_sent_total"]), (1.0, 40.0));
    assert!(after["rowcast_outbox_scans_total"] > 1.0, "two megabytes are more than a page");
    assert_eq!(after["rowcast_delivery_lag_seconds_count"], 0.0, "what was missed is not late");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_went_away_and_one_that_the_server_ended_are_told_apart() {
    let db = Database::new().await;
    let admin = db.connect_as(Role::Superuser).await;
    let member = "INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member'), ('ben', 'o1', 'member')";
    admin.batch_execute(member).await.unwrap();
    let server = Server::start_with(&db, &[("ROWCAST_HEARTBEAT", "100ms")]).await;
    let url = server.url();
    let ann = sse::Client::connect(&url, &harness::token("ann"), None).await;
    let mut ben = sse::Client::connect(&url, &harness::token("ben"), None).await;
    figure_is(&url, "rowcast_connections", 2.0).await;
    drop(ann);
    figure_is(&url, "rowcast_connections_closed_total{reason=\"client\"}", 1.0).await;
    admin.batch_execute("DELETE FROM rowcast.memberships WHERE user_id = 'ben'").await.unwrap();
    while ben.next_event().await.is_some() {}
    figure_is(&url, "rowcast_connections_closed_total{reason=\"access_revoked\"}", 1.0).await;
    figure_is(&url, "rowcast_connections", 0.0).await;
    server.stop().await;
}

#[tokio::test]
async fn figures_may_have_an_address_of_their_own_or_none() {
    let db = Database::new().await;
    let own = harness::free_port();
    let server = Server::start_with(&db, &[("ROWCAST_METRICS_ADDR", &format!("127.0.0.1:{own}"))]).await;
    assert_eq!(sse::Client::request(&server.url(), "GET", "/metrics", "", "").await.status, 404);
    let own = format!("http://127.0.0.1:{own}");
    assert_eq!(figures(&own).await["rowcast_tailer_live"], 1.0);
    assert_eq!(sse::Client::request(&own, "GET", "/readyz", "", "").await.status, 404, "nothing else is there");
    server.stop().await;

    let server = Server::start_with(&db, &[("ROWCAST_METRICS_ADDR", "off")]).await;
    assert_eq!(sse::Client::request(&server.url(), "GET", "/metrics", "", "").await.status, 404);
    server.stop().await;
}
