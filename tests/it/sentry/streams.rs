//! Down to the browser: who sees which errors, and how much of them.

use rowcast::payload::Payload;
use serde_json::{Value, json};

use super::{database, fixture, listening, tell};
use crate::{
    documents::{connect, next},
    harness::{Server, sse},
};

/// An admin and somebody who only watches, of o1; a member of it; an admin of another organization; and platform staff.
const PEOPLE: &str = "
    INSERT INTO rowcast.role_permissions VALUES ('operator', 'monitor');
    INSERT INTO rowcast.memberships VALUES ('ben', 'o1', 'admin'), ('olga', 'o1', 'operator'), ('ann', 'o1', 'member'), ('cleo', 'o2', 'admin'),
        ('sam', NULL, 'admin');
    INSERT INTO rowcast.event_types VALUES ('last', NULL, 'what everybody gets in the end')";

async fn streams<const N: usize>(server: &Server, users: [&str; N]) -> [sse::Client; N] {
    let mut open = Vec::new();
    for user in users {
        open.push(connect(server, user, None).await);
    }
    open.try_into().ok().unwrap()
}

fn is_of_its_type(event: &Value) {
    serde_json::from_value::<Payload>(json!({"type": event["type"], "data": event["data"]})).unwrap();
}

#[tokio::test]
async fn an_error_reaches_those_who_watch_and_its_inside_only_admins() {
    let (db, owner) = database().await;
    owner.batch_execute(PEOPLE).await.unwrap();
    let server = listening(&db).await;
    let [mut ben, mut olga, mut ann, mut cleo, mut sam] = streams(&server, ["ben", "olga", "ann", "cleo", "sam"]).await;
    tell(&server, "event_alert", &fixture("event_alert")).await;
    tell(&server, "issue", &fixture("issue_resolved")).await;
    owner.batch_execute("SELECT rowcast.emit('last', NULL, '{}')").await.unwrap();

    let stack = "ConnectionError:\n  app/net.py:88 in post\nTimeoutError:\n  app/main.py:12 in serve\n  app/search.py:41 in embed";
    let mut error_id = None;
    for (stream, is_admin) in [(&mut ben, true), (&mut sam, true), (&mut olga, false)] {
        let told = next(stream).await;
        is_of_its_type(&told);
        let id = error_id.get_or_insert(told["data"]["errorId"].clone()).clone();
        let mut data = json!({
            "errorId": id, "component": "vector_search", "severity": "critical",
            "message": "TimeoutError: no embedding after 30 s", "userImpact": "minor",
        });
        let hidden = json!({"stackTrace": stack, "sentryIssueId": "4711"});
        if is_admin {
            data.as_object_mut().unwrap().extend(hidden.as_object().unwrap().clone());
        }
        assert_eq!(told["data"], data);
        assert_eq!((&told["type"], &told["operation"]), (&json!("error_notification"), &json!("INSERT")));
        assert_eq!((&told["source"], &told["priority"]), (&json!("rowcast.errors"), &json!("critical")));
        assert_eq!((&told["organizationId"], &told["chatbotId"]), (&json!("o1"), &json!("bot-7")));

        let resolved = next(stream).await;
        is_of_its_type(&resolved);
        assert_eq!((&resolved["operation"], &resolved["key"]), (&json!("UPDATE"), &told["key"]));
        let data = &resolved["data"];
        assert_eq!((&data["errorId"], &data["severity"]), (&id, &json!("high")));
        assert_eq!(data["resolution"], "resolved in release chatbot@2.4.1");
        assert_eq!(data["userImpact"], "major", "12 users");
        assert_eq!(data.get("sentryIssueId"), is_admin.then_some(&json!("CHATBOT-1F")));
        assert_eq!(next(stream).await["type"], "last");
    }
    for stream in [&mut ann, &mut cleo] {
        assert_eq!(next(stream).await["type"], "last", "it is none of their business");
    }
    drop((ben, olga, ann, cleo, sam));
    server.stop().await;
}

#[tokio::test]
async fn an_error_of_no_organization_is_for_platform_staff_until_it_is_known_whose_it_is() {
    let (db, owner) = database().await;
    owner.batch_execute(PEOPLE).await.unwrap();
    let server = listening(&db).await;
    let [mut ben, mut ann, mut sam] = streams(&server, ["ben", "ann", "sam"]).await;
    tell(&server, "issue", &fixture("issue_created")).await;
    tell(&server, "event_alert", &fixture("event_alert")).await;
    owner.batch_execute("SELECT rowcast.emit('last', NULL, '{}')").await.unwrap();

    let of_nobody = next(&mut sam).await;
    is_of_its_type(&of_nobody);
    assert_eq!((of_nobody.get("organizationId"), &of_nobody["operation"]), (None, &json!("INSERT")));
    assert_eq!(
        (&of_nobody["data"]["component"], &of_nobody["data"]["userImpact"]),
        (&json!("chatbot"), &json!("minor"))
    );
    let operations = [next(&mut sam).await, next(&mut sam).await]
        .map(|event| (event["operation"].clone(), event.get("organizationId").cloned()));
    // For the organization it begins to be, and for staff it is another's now.
    assert_eq!(operations[1], (json!("INSERT"), Some(json!("o1"))), "{operations:?}");
    assert_eq!(operations[0], (json!("DELETE"), None), "{operations:?}");
    let of_o1 = next(&mut ben).await;
    assert_eq!((&of_o1["operation"], &of_o1["organizationId"]), (&json!("INSERT"), &json!("o1")));
    for stream in [&mut ben, &mut ann, &mut sam] {
        assert_eq!(next(stream).await["type"], "last");
    }
    drop((ben, ann, sam));
    server.stop().await;
}
