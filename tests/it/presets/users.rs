//! What users do: from a table of sessions, and from an audit log.

use serde_json::json;

use super::Stage;

/// Who did what, as `user action operation @audience`.
async fn told(stage: &Stage) -> Vec<String> {
    let events = stage.events().await;
    let told = events.iter().map(|event| {
        assert_eq!(event.kind, "user_activity");
        let text = |key: &str| event.data[key].as_str().unwrap_or("-").to_owned();
        assert_eq!(event.user.as_deref(), event.data["userId"].as_str());
        format!("{} {} {} @{}", text("userId"), text("action"), event.operation, event.audience)
    });
    told.collect()
}

#[tokio::test]
async fn a_session_begins_with_a_sign_in_and_ends_with_a_sign_out() {
    let stage = Stage::new(
        "CREATE TABLE users (id text PRIMARY KEY, organization_id text); INSERT INTO users VALUES ('ann', 'o1'), ('ben', 'o2');
         CREATE TABLE sessions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id text, ended_at timestamptz, last_seen_at timestamptz)",
    )
    .await;
    assert_eq!(stage.attach("sessions", &json!({})).await, ["app.sessions user_activity"]);
    stage.write("INSERT INTO sessions (user_id) VALUES ('ann'), ('ben'), (NULL)").await;
    assert_eq!(told(&stage).await, ["ann sign_in INSERT @o1", "ben sign_in INSERT @o2"]);
    stage
        .write("UPDATE sessions SET last_seen_at = now(); UPDATE sessions SET ended_at = now() WHERE user_id = 'ann'")
        .await;
    assert_eq!(told(&stage).await, ["ann sign_out UPDATE @o1"]);
    // Ann's is cleared away, which is no news; Ben's ends by it.
    stage.write("DELETE FROM sessions").await;
    assert_eq!(told(&stage).await, ["ben sign_out DELETE @o2"]);
}

#[tokio::test]
async fn sessions_without_an_end_end_by_being_deleted() {
    let stage =
        Stage::new(r#"CREATE TABLE logins (id int PRIMARY KEY, "userId" int, org int, "expiresAt" timestamp)"#).await;
    let arguments =
        json!({"sessions.table": "logins", "sessions.user_id": "r.\"userId\"", "sessions.organization_id": "r.org"});
    stage.attach("sessions", &arguments).await;
    stage
        .write(r#"INSERT INTO logins VALUES (1, 5, 9, now()); UPDATE logins SET "expiresAt" = now() + '1 h'; DELETE FROM logins"#)
        .await;
    let events = stage.events().await;
    assert_eq!(events[0].session.as_deref(), Some("1"));
    assert_eq!(events[0].data, json!({"userId": "5", "action": "sign_in", "sessionId": "1"}));
    assert_eq!(events[1].data, json!({"userId": "5", "action": "sign_out", "sessionId": "1"}));
    assert_eq!(events.len(), 2, "{events:?}");
}

#[tokio::test]
async fn sessions_that_belong_to_no_organization_are_the_platforms_if_that_is_said() {
    let stage = Stage::new("CREATE TABLE sessions (id int PRIMARY KEY, user_id text)").await;
    let refused = stage.try_attach("sessions", &json!({}), None).await.unwrap_err();
    assert!(refused.starts_with("sessions: app.sessions has no column organization_id"), "{refused}");
    stage.attach("sessions", &json!({"sessions.organization_id": ""})).await;
    stage.write("INSERT INTO sessions VALUES (1, 'ann')").await;
    assert_eq!(told(&stage).await, ["ann sign_in INSERT @all"]);
}

#[tokio::test]
async fn a_key_that_one_signs_in_with_is_not_sent() {
    let stage =
        Stage::new("CREATE TABLE sessions (session_key text PRIMARY KEY, user_id text, organization_id text)").await;
    let refused =
        stage.try_attach("sessions", &json!({"sessions.id": "left(md5(r.session_key), 8)"}), None).await.unwrap_err();
    assert!(
        refused.starts_with("sessions: the primary key of app.sessions, session_key, looks like a secret"),
        "{refused}"
    );
    assert!(stage.attached().await.is_empty());
}

#[tokio::test]
async fn an_audit_log_says_who_did_what() {
    let stage = Stage::new(
        "CREATE TABLE audit_logs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organization_id text, actor_id int, event text, details jsonb)",
    )
    .await;
    assert_eq!(stage.attach("audit", &json!({})).await, ["app.audit_logs user_activity"]);
    stage
        .write(
            r#"INSERT INTO audit_logs (organization_id, actor_id, event, details) VALUES
               ('o1', 5, 'role.changed', '{"to": "admin", "api_key": "x"}'), ('o1', NULL, 'cron', '{}'), ('o2', 6, 'export', NULL);
               DELETE FROM audit_logs"#,
        )
        .await;
    let events = stage.events().await;
    let data: Vec<_> = events.iter().map(|event| event.data.clone()).collect();
    assert_eq!(
        data,
        [
            json!({"userId": "5", "action": "role.changed", "metadata": {"to": "admin"}}),
            json!({"userId": "6", "action": "export"})
        ]
    );
}
