//! Nobody is told of what somebody does in another organization.

use super::{ON, told};
use crate::{
    connections::{asking, open, post},
    documents,
    harness::{Database, Role, Server},
};

/// `ed` is an admin of `o1` and a member of `o2`: that he may see more than others there is no business of `o2`.
async fn prepare(db: &Database) -> tokio_postgres::Client {
    documents::prepare(db).await;
    let owner = db.connect().await;
    owner
        .batch_execute("INSERT INTO rowcast.memberships VALUES ('ed', 'o1', 'admin'), ('ed', 'o2', 'member')")
        .await
        .unwrap();
    owner
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_organization_is_told_of_what_is_sent_of_it() {
    let db = Database::new().await;
    let owner = prepare(&db).await;
    let server = Server::start_with(&db, &[ON]).await;
    let query = "subscriptions=document_processing,system_health";
    let (stream, id) = open(&server, "ed", query).await;
    assert_eq!(post(&server, "ed", &asking(&id, "subscribe", &["error_notification"])).await.0, 200);
    assert_eq!(post(&server, "ed", &asking(&id, "unsubscribe", &["document_processing"])).await.0, 200);
    drop(stream);
    assert_eq!(
        told(&owner, 7).await,
        [
            "o1 ed connected document_processing,system_health",
            "o2 ed connected document_processing",
            "o1 ed subscribed error_notification",
            "o1 ed unsubscribed document_processing",
            "o2 ed unsubscribed document_processing",
            "o1 ed disconnected client",
            "o2 ed disconnected client",
        ]
    );
    // A stream of one organization concerns that one alone.
    drop(open(&server, "ed", "organizationId=o2&subscriptions=document_processing").await);
    assert_eq!(told(&owner, 9).await[7..], ["o2 ed connected document_processing", "o2 ed disconnected client"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_are_nobodys_business_unless_they_look_at_one_organization() {
    let db = Database::new().await;
    let owner = prepare(&db).await;
    let server = Server::start_with(&db, &[ON]).await;
    let (mut sam, _) = open(&server, "sam", "subscriptions=user_activity").await;
    assert_eq!(sam.next_of("user_activity").await.json().get("organizationId"), None);
    let (mut cleo, _) = open(&server, "cleo", "subscriptions=user_activity").await;
    assert_eq!(cleo.next_of("user_activity").await.json()["userId"], "cleo");
    drop(open(&server, "sam", "subscriptions=document_processing").await);
    drop(open(&server, "sam", "subscriptions=document_processing&organizationId=o2").await);
    let heard = cleo.next_of("user_activity").await.json();
    assert_eq!((heard["userId"].as_str(), heard["organizationId"].as_str()), (Some("sam"), Some("o2")));
    let story = told(&owner, 6).await;
    assert!(story.contains(&"- sam connected document_processing".to_owned()), "{story:#?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_that_is_left_hears_of_the_end_and_of_nothing_after() {
    let db = Database::new().await;
    let owner = prepare(&db).await;
    let server = Server::start_with(&db, &[ON]).await;
    let (mut stream, id) = open(&server, "ed", "subscriptions=document_processing,conversation_activity").await;
    told(&owner, 2).await;
    let change = "DELETE FROM rowcast.memberships WHERE user_id = 'ed' AND organization_id = 'o1';
                  INSERT INTO rowcast.memberships VALUES ('ed', 'o3', 'member')";
    owner.batch_execute(change).await.unwrap();
    // The two may be seen one after the other.
    let after = loop {
        let status = documents::status(&mut stream).await;
        if status["status"] == "access_changed" && status["organizations"].as_array().unwrap().contains(&"o3".into()) {
            break status;
        }
    };
    assert_eq!(after["organizations"], serde_json::json!(["o2", "o3"]));
    assert_eq!(post(&server, "ed", &asking(&id, "unsubscribe", &["conversation_activity"])).await.0, 200);
    drop(stream);
    let story = told(&owner, 8).await;
    let of = |organization: &str| -> Vec<String> {
        story.iter().filter_map(|line| line.strip_prefix(&format!("{organization} ed "))).map(str::to_owned).collect()
    };
    let types = "conversation_activity,document_processing";
    assert_eq!(of("o1"), [format!("connected {types}"), "disconnected access_changed".into()]);
    assert_eq!(
        of("o2"),
        [format!("connected {types}"), "unsubscribed conversation_activity".into(), "disconnected client".into()]
    );
    assert_eq!(
        of("o3"),
        [
            format!("connected {types} access_changed"),
            "unsubscribed conversation_activity".into(),
            "disconnected client".into()
        ]
    );
    server.stop().await;
    let reader = db.connect_as(Role::Reader).await;
    assert_eq!(super::story(&reader).await.len(), 8);
    assert_eq!(story.len(), 8);
}
