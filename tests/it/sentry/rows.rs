//! What Sentry tells becomes rows: one for an issue in each organization, as new as what was told last.

use serde_json::json;

use super::{count, database, fixture, fixture_of, listening, rows, tell, tell_at};
use crate::harness::Server;

#[tokio::test]
async fn an_issue_goes_its_way_in_one_row() {
    let (db, owner) = database().await;
    let server = listening(&db).await;
    assert_eq!(tell_at(&server, "issue", &fixture("issue_created"), -4).await, "recorded");
    let created = rows(&owner).await;
    assert_eq!(
        created,
        [json!({
            "organization_id": null, "chatbot_id": null, "component": null, "logger": null, "project": "chatbot", "severity": "high",
            "message": "TimeoutError: no embedding after 30 s", "stack_trace": null, "status": "unresolved", "resolution": null,
            "occurrences": 3, "users": 2, "sentry_issue_id": "4711", "sentry_short_id": "CHATBOT-1F",
        })]
    );
    // Now it is known whose it is.
    assert_eq!(tell_at(&server, "event_alert", &fixture("event_alert"), -3).await, "recorded");
    let [row] = &*rows(&owner).await else { panic!("more than one row") };
    assert_eq!((&row["organization_id"], &row["chatbot_id"]), (&json!("o1"), &json!("bot-7")));
    assert_eq!((&row["severity"], &row["component"]), (&json!("critical"), &json!("vector_search")));
    assert_eq!((&row["occurrences"], &row["users"]), (&json!(4), &json!(2)), "one more");
    assert_eq!(row["sentry_short_id"], "CHATBOT-1F", "what was not said again stays");
    assert!(row["stack_trace"].as_str().unwrap().ends_with("app/search.py:41 in embed"));

    assert_eq!(tell_at(&server, "issue", &fixture("issue_resolved"), -2).await, "recorded");
    let [row] = &*rows(&owner).await else { panic!("more than one row") };
    assert_eq!((&row["status"], &row["resolution"]), (&json!("resolved"), &json!("resolved in release chatbot@2.4.1")));
    assert_eq!((&row["occurrences"], &row["users"], &row["organization_id"]), (&json!(40), &json!(12), &json!("o1")));
    assert_eq!(tell_at(&server, "issue", &fixture("issue_unresolved"), -1).await, "recorded");
    let [row] = &*rows(&owner).await else { panic!("more than one row") };
    assert_eq!((&row["status"], &row["resolution"], &row["users"]), (&json!("unresolved"), &json!(null), &json!(120)));
    server.stop().await;
}

#[tokio::test]
async fn each_organization_has_a_row_of_its_own_with_its_own_words() {
    let (db, owner) = database().await;
    let server = listening(&db).await;
    let of = |organization: Option<&str>, title: &str| {
        let mut body = fixture("event_alert");
        let event = &mut body["data"]["event"];
        event["title"] = title.into();
        event["tags"] = organization.map_or(json!([]), |organization| json!([["organization_id", organization]]));
        body
    };
    for body in [of(Some("o1"), "of o1"), of(Some("o2"), "of o2"), of(None, "of nobody"), of(Some("o1"), "of o1 again")]
    {
        assert_eq!(tell(&server, "event_alert", &body).await, "recorded");
    }
    let told = rows(&owner).await;
    let words: Vec<_> =
        told.iter().map(|row| (row["organization_id"].as_str(), row["message"].as_str().unwrap())).collect();
    assert_eq!(words, [(Some("o1"), "of o1 again"), (Some("o2"), "of o2"), (None, "of nobody")]);

    // The issue as a whole is resolved for all, in nobody else's words.
    let mut resolved = fixture("issue_resolved");
    resolved["data"]["issue"]["title"] = "of o2 again".into();
    assert_eq!(tell(&server, "issue", &resolved).await, "recorded");
    let told = rows(&owner).await;
    assert!(told.iter().all(|row| row["status"] == "resolved" && row["users"] == 12), "{told:?}");
    let words: Vec<_> = told.iter().map(|row| row["message"].as_str().unwrap()).collect();
    assert_eq!(words, ["of o1 again", "of o2", "of o2 again"]);
    server.stop().await;
}

#[tokio::test]
async fn what_was_sent_before_overwrites_nothing_and_fills_what_is_missing() {
    let (db, owner) = database().await;
    let server = listening(&db).await;
    assert_eq!(tell_at(&server, "event_alert", &fixture("event_alert"), -10).await, "recorded");
    assert_eq!(tell_at(&server, "issue", &fixture("issue_resolved"), -5).await, "recorded");
    // It was under way for longer than what came after it.
    let mut late = fixture_of("issue_created", 20);
    late["data"]["issue"]["level"] = "info".into();
    assert_eq!(tell_at(&server, "issue", &late, -20).await, "recorded");
    let [row] = &*rows(&owner).await else { panic!("more than one row") };
    assert_eq!((&row["status"], &row["severity"], &row["users"]), (&json!("resolved"), &json!("high"), &json!(12)));
    let seen = "SELECT extract(epoch FROM last_seen - first_seen)::float8 FROM rowcast.errors";
    let apart: f64 = owner.query_one(seen, &[]).await.unwrap().get(0);
    assert!((18.0..22.0).contains(&apart), "{apart}");
    server.stop().await;
}

#[tokio::test]
async fn the_same_webhook_again_does_nothing_on_any_server() {
    let (db, owner) = database().await;
    let servers = [listening(&db).await, listening(&db).await];
    let alert = fixture("event_alert");
    assert_eq!(tell(&servers[0], "event_alert", &alert).await, "recorded");
    let before = rows(&owner).await;
    let events = count(&owner, "outbox").await;
    for server in &servers {
        // Sentry's own retry has another Request-ID and another time.
        assert_eq!(tell_at(server, "event_alert", &alert, 1).await, "repeated");
    }
    assert_eq!((rows(&owner).await, count(&owner, "outbox").await), (before, events));
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_come_at_once_lose_nothing() {
    let (db, owner) = database().await;
    let servers = [listening(&db).await, listening(&db).await];
    let told = (0..12_usize).map(|number| {
        let mut body = fixture("event_alert");
        body["data"]["event"]["event_id"] = format!("{number:032x}").into();
        let server: &Server = &servers[number % 2];
        async move { tell(server, "event_alert", &body).await }
    });
    let outcomes = futures_util::future::join_all(told).await;
    assert!(outcomes.iter().all(|outcome| outcome == "recorded"), "{outcomes:?}");
    let [row] = &*rows(&owner).await else { panic!("more than one row") };
    assert_eq!(row["occurrences"], 12);
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_webhook_that_comes_many_times_at_once_is_one_row_and_one_event() {
    let (db, owner) = database().await;
    let servers = [listening(&db).await, listening(&db).await];
    let body = fixture("event_alert");
    let told = (0..20_usize).map(|number| tell(&servers[number % 2], "event_alert", &body));
    let outcomes = futures_util::future::join_all(told).await;
    let times = |outcome: &str| outcomes.iter().filter(|found| *found == outcome).count();
    assert_eq!((times("recorded"), times("repeated")), (1, 19), "{outcomes:?}");
    let [row] = &*rows(&owner).await else { panic!("more than one row") };
    assert_eq!((&row["occurrences"], count(&owner, "outbox").await), (&json!(1), 1));
    for server in servers {
        server.stop().await;
    }
}

/// What nobody had said whose it is may have been somebody else's.
#[tokio::test]
async fn what_becomes_an_organizations_has_nothing_of_anybody_else_in_it() {
    let (db, owner) = database().await;
    let server = listening(&db).await;
    let mut of_nobody = fixture("event_alert");
    of_nobody["data"]["event"]["tags"] = json!([["chatbot_id", "another's bot"]]);
    of_nobody["data"]["event"]["title"] = "another's words".into();
    assert_eq!(tell(&server, "event_alert", &of_nobody).await, "recorded");
    let mut of_o1 = fixture("event_alert");
    of_o1["data"]["event"]["tags"] = json!([["organization_id", "o1"]]);
    for left_out in ["title", "exception"] {
        of_o1["data"]["event"].as_object_mut().unwrap().remove(left_out);
    }
    assert_eq!(tell(&server, "event_alert", &of_o1).await, "recorded");
    let [row] = &*rows(&owner).await else { panic!("more than one row") };
    assert_eq!(row["organization_id"], "o1");
    for column in ["chatbot_id", "stack_trace"] {
        assert_eq!(row[column], json!(null), "{column}");
    }
    assert_eq!(row["message"], "(untitled)");
    server.stop().await;
}

/// Whoever can make errors happen may be able to choose their tags, as in a page with the DSN in it.
#[tokio::test]
async fn an_issue_has_rows_for_so_many_organizations_and_of_the_others_it_is_of_nobody() {
    let (db, owner) = database().await;
    let server = listening(&db).await;
    let of = |organization: &str| {
        let mut body = fixture("event_alert");
        body["data"]["event"]["event_id"] = format!("{:032x}", fastrand::u128(..)).into();
        body["data"]["event"]["tags"] = json!([["organization_id", organization]]);
        body
    };
    assert_eq!(tell(&server, "event_alert", &of("o1")).await, "recorded");
    let many = "INSERT INTO rowcast.errors (organization_id, message, sentry_issue_id) SELECT 'made up ' || n, 'x', '4711' FROM generate_series(1, $1::int) n";
    owner.execute(many, &[&998]).await.unwrap();
    for organization in ["the last", "one too many", "another"] {
        assert_eq!(tell(&server, "event_alert", &of(organization)).await, "recorded");
    }
    assert_eq!(tell(&server, "event_alert", &of("o1")).await, "recorded", "who is there goes on");
    let told = "SELECT organization_id, occurrences FROM rowcast.errors WHERE message <> 'x' ORDER BY id";
    let told: Vec<(Option<String>, i64)> =
        owner.query(told, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(told, [(Some("o1".to_owned()), 2), (Some("the last".to_owned()), 1), (None, 2)]);
    server.stop().await;
}

#[tokio::test]
async fn what_tells_of_no_error_is_answered_well_and_writes_nothing() {
    let (db, owner) = database().await;
    let server = listening(&db).await;
    for (resource, name, expected) in [
        ("issue", "issue_assigned", "ignored"),
        ("installation", "installation_created", "ignored"),
        ("comment", "comment_created", "ignored"),
        ("metric_alert", "metric_alert_resolved", "ignored"),
        ("not_known_yet", "not_known_yet", "unknown"),
    ] {
        assert_eq!(tell(&server, resource, &fixture(name)).await, expected, "{name}");
    }
    // An issue that nobody has told us of, and that is long past.
    assert_eq!(tell(&server, "issue", &fixture_of("issue_resolved", 90_000)).await, "outdated");
    assert!(rows(&owner).await.is_empty());
    let (_, metrics) = crate::documents::get(&server, "/metrics", None).await;
    for line in ["{outcome=\"ignored\"} 4", "{outcome=\"unknown\"} 1", "{outcome=\"outdated\"} 1"] {
        assert!(metrics.contains(&format!("rowcast_sentry_webhooks_total{line}\n")), "{line} is not in\n{metrics}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_old_is_deleted_and_cannot_be_brought_again() {
    let (db, owner) = database().await;
    let server = listening(&db).await;
    let (alert, resolved, kept) = (fixture("event_alert"), fixture("issue_resolved"), fixture("error_created"));
    for (resource, body) in [("event_alert", &alert), ("issue", &resolved), ("error", &kept)] {
        assert_eq!(tell(&server, resource, body).await, "recorded");
    }
    let age = "UPDATE rowcast.sentry_deliveries SET received_at = received_at - interval '4 days';
               UPDATE rowcast.errors SET updated_at = updated_at - interval '4 days' WHERE sentry_issue_id = '4711'";
    owner.batch_execute(age).await.unwrap();
    // History that is kept for an hour keeps these for three days.
    let steps = "SELECT partition FROM rowcast.prune('1 hour') WHERE partition ~ 'errors|sentry' ORDER BY 1";
    let pruned: Vec<String> = owner.query(steps, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(pruned, ["rowcast.errors", "rowcast.sentry_deliveries"]);
    assert_eq!((rows(&owner).await.len(), count(&owner, "sentry_deliveries").await), (1, 0));
    // A change of state is remembered with its issue.
    let mut state = fixture("issue_archived");
    state["data"]["issue"]["id"] = "4712".into();
    assert_eq!(tell(&server, "issue", &state).await, "recorded");
    owner
        .batch_execute("UPDATE rowcast.sentry_deliveries SET received_at = received_at - interval '40 days'")
        .await
        .unwrap();
    owner.batch_execute("SELECT rowcast.prune('7 days')").await.unwrap();
    assert_eq!(tell(&server, "issue", &state).await, "repeated");
    // Nor does it change an issue that has come back.
    let back = "UPDATE rowcast.errors SET created_at = created_at - interval '3 days', sentry_issue_id = '4711'";
    owner.batch_execute(back).await.unwrap();
    let seen_long_ago = fixture_of("issue_resolved", 200_000);
    assert_eq!(tell(&server, "issue", &seen_long_ago).await, "recorded");
    owner
        .batch_execute(&age.replace("4711'", "4711';SELECT rowcast.prune('7 days'); DELETE FROM rowcast.errors"))
        .await
        .unwrap();
    owner.batch_execute("SELECT rowcast.prune('7 days')").await.unwrap();
    let mut again = fixture("event_alert");
    again["data"]["event"]["event_id"] = "another".into();
    assert_eq!(tell(&server, "event_alert", &again).await, "recorded");
    assert_eq!(tell(&server, "issue", &seen_long_ago).await, "outdated");
    assert_eq!(rows(&owner).await[0]["status"], "unresolved");
    // For ever is for ever.
    owner
        .batch_execute("UPDATE rowcast.errors SET updated_at = '-infinity'; SELECT rowcast.prune(NULL)")
        .await
        .unwrap();
    assert_eq!(rows(&owner).await.len(), 1);
    server.stop().await;
}
