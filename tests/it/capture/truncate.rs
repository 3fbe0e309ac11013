//! TRUNCATE is one event without a key.

use serde_json::json;

use super::{ATTACH_DOCS, DOCS, Stage};

#[tokio::test]
async fn a_truncate_is_one_event_for_everybody() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x'), (2, 'b', 'y')").await;
    stage.told().await;
    stage.write("TRUNCATE docs").await;
    let events = stage.events().await;
    assert_eq!(events.iter().map(super::Event::summary).collect::<Vec<_>>(), ["TRUNCATE - all"]);
    assert_eq!(events[0].data, json!({}));
    assert_eq!(events[0].source.as_deref(), Some("public.docs"));
    assert_eq!(events[0].organization_id, None);
}

#[tokio::test]
async fn a_truncate_of_a_partitioned_table_is_one_event_too() {
    let stage = Stage::new(
        "CREATE TABLE public.ev (id int, org text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
         CREATE TABLE public.ev1 PARTITION OF public.ev FOR VALUES FROM (0) TO (10);
         CREATE TABLE public.ev2 PARTITION OF public.ev FOR VALUES FROM (10) TO (20)",
    )
    .await;
    stage.attach("'public.ev', 'user_activity', organization_id => 'r.org'").await;
    stage.attach("'public.ev', 'document_processing', organization_id => 'r.org'").await;
    stage.write("TRUNCATE ev").await;
    let mut kinds: Vec<_> = stage.events().await.into_iter().map(|event| event.kind).collect();
    kinds.sort();
    assert_eq!(kinds, ["document_processing", "user_activity"]);
    stage.write("TRUNCATE ev2").await;
    assert_eq!(stage.told().await.len(), 2);
    // Two of them with something in between are two.
    stage.write("BEGIN; TRUNCATE ev; INSERT INTO ev VALUES (1, 'a'); TRUNCATE ev; COMMIT").await;
    let operations: Vec<_> = stage.events().await.into_iter().map(|event| event.operation).collect();
    assert_eq!(operations, ["TRUNCATE", "TRUNCATE", "INSERT", "INSERT", "TRUNCATE", "TRUNCATE"]);
}

#[tokio::test]
async fn truncate_comes_with_delete() {
    let stage = Stage::new(DOCS).await;
    stage.attach("'public.docs', 'document_processing', operations => '{INSERT,UPDATE}'").await;
    stage.write("TRUNCATE docs").await;
    assert_eq!(stage.told().await, [""; 0]);
}
