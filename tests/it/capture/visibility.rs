//! Who sees a row, and what they are told when that changes.

use super::{ATTACH_DOCS, DOCS, Stage};

#[tokio::test]
async fn a_change_of_organization_is_a_delete_for_those_who_saw_the_row() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x'), (2, 'a', 'y')").await;
    stage.told().await;
    stage.write("UPDATE docs SET org = 'b' WHERE id = 1").await;
    assert_eq!(stage.told().await, ["DELETE 1 @a", "INSERT 1 @b"]);
    // Many at a time, which takes another way through the trigger.
    stage.write("UPDATE docs SET org = 'c'").await;
    let mut told = stage.told().await;
    assert_eq!(told.len(), 4);
    assert!(told[..2].iter().all(|event| event.starts_with("DELETE")), "{told:?}");
    told.sort();
    assert_eq!(told, ["DELETE 1 @b", "DELETE 2 @a", "INSERT 1 @c", "INSERT 2 @c"]);
}

#[tokio::test]
async fn the_delete_carries_the_row_that_was_seen() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'for a')").await;
    stage.told().await;
    stage.write("UPDATE docs SET org = 'b', title = 'for b'").await;
    let events = stage.events().await;
    assert_eq!(events[0].data["title"], "for a");
    assert_eq!(events[0].data["org"], "a");
    assert_eq!(events[1].data["title"], "for b");
}

#[tokio::test]
async fn leaving_the_filter_is_a_delete_and_entering_it_an_insert() {
    let stage = Stage::new(DOCS).await;
    stage.attach(&format!("{ATTACH_DOCS}, filter => $$r.title <> 'draft'$$")).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'draft'), (2, 'a', NULL), (3, 'a', 'x')").await;
    assert_eq!(stage.told().await, ["INSERT 3 @a"]);
    stage.write("UPDATE docs SET title = 'y' WHERE id = 3").await;
    assert_eq!(stage.told().await, ["UPDATE 3 @a"]);
    stage.write("UPDATE docs SET title = 'draft' WHERE id = 3").await;
    assert_eq!(stage.told().await, ["DELETE 3 @a"]);
    stage.write("UPDATE docs SET org = 'b' WHERE id = 3").await;
    assert_eq!(stage.told().await, [""; 0], "nobody saw it");
    stage.write("UPDATE docs SET title = 'z' WHERE id = 1").await;
    assert_eq!(stage.told().await, ["INSERT 1 @a"]);
    stage.write("UPDATE docs SET title = 'w'").await;
    let mut told = stage.told().await;
    told.sort();
    assert_eq!(told, ["INSERT 2 @a", "INSERT 3 @b", "UPDATE 1 @a"]);
    stage.write("DELETE FROM docs WHERE id = 1").await;
    assert_eq!(stage.told().await, ["DELETE 1 @a"]);
}

#[tokio::test]
async fn private_rows_are_for_their_user() {
    let stage = Stage::new("CREATE TABLE public.notes (id int PRIMARY KEY, org text, who text, body text)").await;
    stage
        .attach("'public.notes', 'user_activity', organization_id => 'r.org', user_id => 'r.who', private => true")
        .await;
    stage.write("INSERT INTO notes VALUES (1, 'a', 'ada', 'x')").await;
    let events = stage.events().await;
    assert_eq!(events[0].summary(), "INSERT 1 ~ada");
    assert_eq!(events[0].organization_id.as_deref(), Some("a"), "so that its admins can be told from others'");
    stage.write("UPDATE notes SET body = 'y'").await;
    stage.write("UPDATE notes SET who = 'bob'").await;
    assert_eq!(stage.told().await, ["UPDATE 1 ~ada", "DELETE 1 ~ada", "INSERT 1 ~bob"]);
    stage.write("INSERT INTO notes VALUES (2, 'a', NULL, 'x'), (3, NULL, 'ada', 'x')").await;
    assert_eq!(stage.told().await, ["INSERT 2 nobody", "INSERT 3 nobody"]);
}

#[tokio::test]
async fn the_user_of_a_row_that_is_not_private_decides_nothing() {
    let stage = Stage::new("CREATE TABLE public.notes (id int PRIMARY KEY, org text, who text)").await;
    stage.attach("'public.notes', 'user_activity', organization_id => 'r.org', user_id => 'r.who'").await;
    stage.write("INSERT INTO notes VALUES (1, 'a', 'ada')").await;
    stage.write("UPDATE notes SET who = NULL").await;
    assert_eq!(stage.told().await, ["INSERT 1 @a", "UPDATE 1 @a"]);
}
