//! A parent covers its partitions and children, however they are written, each row once.

use serde_json::json;

use super::Stage;

/// Three partitions, of which the second keeps its columns in another order.
const EVENTS: &str = "
    CREATE TABLE public.ev (id int, part int, org text, note text, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
    CREATE TABLE public.ev1 PARTITION OF public.ev FOR VALUES IN (1);
    CREATE TABLE public.ev2 (junk int, note text, part int NOT NULL, org text, id int NOT NULL);
    ALTER TABLE public.ev2 DROP COLUMN junk;
    ALTER TABLE public.ev ATTACH PARTITION public.ev2 FOR VALUES IN (2);
    CREATE TABLE public.ev3 PARTITION OF public.ev FOR VALUES IN (3, 4) PARTITION BY LIST (part);
    CREATE TABLE public.ev3a PARTITION OF public.ev3 FOR VALUES IN (3)";

const ATTACH: &str = "'public.ev', 'user_activity', organization_id => 'r.org'";

#[tokio::test]
async fn writes_to_the_parent_are_captured_once() {
    let stage = Stage::new(EVENTS).await;
    stage.attach(ATTACH).await;
    stage.write("INSERT INTO ev VALUES (1, 1, 'a', 'x'), (2, 2, 'a', 'x'), (3, 3, 'a', 'x')").await;
    stage.write("UPDATE ev SET note = 'y' WHERE id = 2").await;
    stage.write("DELETE FROM ev WHERE id = 3").await;
    let events = stage.events().await;
    assert_eq!(
        events.iter().map(super::Event::summary).collect::<Vec<_>>(),
        ["INSERT [1, 1] @a", "INSERT [2, 2] @a", "INSERT [3, 3] @a", "UPDATE [2, 2] @a", "DELETE [3, 3] @a"]
    );
    assert!(events.iter().all(|event| event.source.as_deref() == Some("public.ev")));
}

#[tokio::test]
async fn writes_to_a_partition_are_captured_as_the_parents() {
    let stage = Stage::new(EVENTS).await;
    stage.attach(ATTACH).await;
    stage.write("INSERT INTO ev1 VALUES (1, 1, 'a', 'x')").await;
    stage.write("INSERT INTO ev2 (id, part, org, note) VALUES (2, 2, 'b', 'x'), (22, 2, 'b', 'x')").await;
    stage.write("INSERT INTO ev3 VALUES (3, 3, 'c', 'x')").await;
    stage.write("INSERT INTO ev3a VALUES (33, 3, 'c', 'x')").await;
    stage.write("UPDATE ev2 SET note = 'z'").await;
    stage.write("UPDATE ev2 SET note = 'y' WHERE id = 2").await;
    stage.write("DELETE FROM ev3a WHERE id = 3").await;
    let events = stage.events().await;
    assert_eq!(
        events.iter().map(super::Event::summary).collect::<Vec<_>>(),
        [
            "INSERT [1, 1] @a",
            "INSERT [2, 2] @b",
            "INSERT [22, 2] @b",
            "INSERT [3, 3] @c",
            "INSERT [33, 3] @c",
            "UPDATE [2, 2] @b",
            "UPDATE [22, 2] @b",
            "UPDATE [2, 2] @b",
            "DELETE [3, 3] @c"
        ]
    );
    assert!(events.iter().all(|event| event.source.as_deref() == Some("public.ev")));
    assert_eq!(events[1].data, json!({"id": 2, "part": 2, "org": "b", "note": "x"}));
}

#[tokio::test]
async fn a_row_that_moves_between_partitions_is_a_delete_and_an_insert_of_its_keys() {
    let stage = Stage::new(EVENTS).await;
    stage.attach(ATTACH).await;
    stage.write("INSERT INTO ev VALUES (1, 1, 'a', 'x'), (2, 2, 'a', 'x')").await;
    stage.told().await;
    stage.write("UPDATE ev SET part = 3 WHERE id = 1").await;
    assert_eq!(stage.told().await, ["DELETE [1, 1] @a", "INSERT [1, 3] @a"]);
    stage.write("UPDATE ev SET part = 1, note = 'moved'").await;
    let mut told = stage.told().await;
    told.sort();
    assert_eq!(told, ["DELETE [1, 3] @a", "DELETE [2, 2] @a", "INSERT [1, 1] @a", "INSERT [2, 1] @a"]);
}

#[tokio::test]
async fn a_move_whose_second_half_is_suppressed_is_a_delete() {
    let stage = Stage::new(EVENTS).await;
    stage
        .own(
            "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON ev2 FOR EACH ROW EXECUTE FUNCTION public.refuse()",
        )
        .await;
    stage.attach(ATTACH).await;
    stage.write("INSERT INTO ev VALUES (1, 1, 'a', 'x'), (2, 1, 'a', 'x'), (3, 1, 'a', 'x')").await;
    stage.told().await;
    stage.write("UPDATE ev SET part = CASE id WHEN 1 THEN 2 ELSE part END, note = 'y'").await;
    let told = stage.told().await;
    let last = |key: &str| told.iter().rfind(|event| event.contains(key)).cloned().unwrap_or_default();
    assert_eq!(last("[1, 1]"), "DELETE [1, 1] @a");
    assert_eq!(last("[2, 1]"), "INSERT [2, 1] @a");
    assert_eq!(last("[3, 1]"), "INSERT [3, 1] @a");
}

#[tokio::test]
async fn children_by_inheritance_are_covered() {
    let stage = Stage::new(
        "CREATE TABLE public.base (id int PRIMARY KEY, org text);
         CREATE TABLE public.child (extra text) INHERITS (public.base); ALTER TABLE public.child ADD PRIMARY KEY (id)",
    )
    .await;
    stage.attach("'public.base', 'user_activity', organization_id => 'r.org'").await;
    stage.write("INSERT INTO base VALUES (1, 'a'); INSERT INTO child VALUES (2, 'a', 'more')").await;
    stage.write("UPDATE base SET org = 'b'").await;
    stage.write("UPDATE child SET extra = 'other', org = 'c'").await;
    let events = stage.events().await;
    assert_eq!(
        events.iter().map(super::Event::summary).collect::<Vec<_>>(),
        [
            "INSERT 1 @a",
            "INSERT 2 @a",
            "DELETE 1 @a",
            "DELETE 2 @a",
            "INSERT 1 @b",
            "INSERT 2 @b",
            "DELETE 2 @b",
            "INSERT 2 @c"
        ]
    );
    assert_eq!(events[1].data, json!({"id": 2, "org": "a"}), "what the parent does not have is not the parent's");
}

#[tokio::test]
async fn new_partitions_are_covered_after_a_refresh() {
    let stage = Stage::new(EVENTS).await;
    stage.attach(ATTACH).await;
    stage.own("CREATE TABLE public.ev4 PARTITION OF public.ev3 FOR VALUES IN (4)").await;
    stage.write("INSERT INTO ev VALUES (4, 4, 'a', 'by the parent')").await;
    stage.write("INSERT INTO ev4 VALUES (5, 4, 'a', 'itself')").await;
    assert_eq!(stage.told().await, ["INSERT [4, 4] @a"]);
    let outcomes =
        stage.writer.query("SELECT source, event_type, outcome FROM rowcast.refresh_attachments()", &[]).await.unwrap();
    assert_eq!(outcomes.len(), 4, "{outcomes:?}");
    stage.write("INSERT INTO ev4 VALUES (6, 4, 'a', 'itself')").await;
    assert_eq!(stage.told().await, ["INSERT [6, 4] @a"]);
    let outcomes = stage.writer.query("SELECT FROM rowcast.refresh_attachments()", &[]).await.unwrap();
    assert_eq!(outcomes.len(), 0, "there is nothing left to do");
}

#[tokio::test]
async fn a_refresh_leaves_to_others_what_is_theirs() {
    let stage = Stage::new(EVENTS).await;
    stage.attach(ATTACH).await;
    stage.own("CREATE TABLE public.ev4 PARTITION OF public.ev3 FOR VALUES IN (4)").await;
    let owner = stage.db.connect().await;
    let outcomes = owner.query("SELECT outcome FROM rowcast.refresh_attachments()", &[]).await.unwrap();
    assert!(outcomes[0].get::<_, &str>(0).starts_with("left to rowcast_test_writer: CREATE TRIGGER"), "{outcomes:?}");
    // A superuser does it, as the owner.
    stage.superuser.batch_execute("SELECT rowcast.refresh_attachments()").await.unwrap();
    let user: String = stage.superuser.query_one("SELECT current_user::text", &[]).await.unwrap().get(0);
    assert_eq!(user, "postgres");
    stage.write("INSERT INTO ev4 VALUES (6, 4, 'a', 'itself')").await;
    assert_eq!(stage.told().await, ["INSERT [6, 4] @a"]);
}

#[tokio::test]
async fn where_a_superuser_migrates_new_partitions_are_covered_at_once() {
    let stage = Stage::new(EVENTS).await;
    stage.superuser.batch_execute(include_str!("../../../sql/functions/64_follow_tables.sql")).await.unwrap();
    stage.attach(ATTACH).await;
    stage
        .own(
            "CREATE TABLE public.ev4 PARTITION OF public.ev3 FOR VALUES IN (4);
             CREATE TABLE public.ev5 (note text, part int NOT NULL, org text, id int NOT NULL);
             ALTER TABLE public.ev ATTACH PARTITION public.ev5 FOR VALUES IN (5)",
        )
        .await;
    stage.write("INSERT INTO ev4 VALUES (4, 4, 'a', 'x'); INSERT INTO ev5 (id, part, org) VALUES (5, 5, 'a')").await;
    assert_eq!(stage.told().await, ["INSERT [4, 4] @a", "INSERT [5, 5] @a"]);
    // A partition that is detached is the parent's no longer.
    stage.own("ALTER TABLE public.ev DETACH PARTITION public.ev5").await;
    stage.write("INSERT INTO ev5 (id, part, org) VALUES (6, 5, 'a')").await;
    assert_eq!(stage.told().await, [""; 0]);
    // Whoever has nothing to do with rowcast can still create tables.
    stage.superuser.batch_execute("GRANT CREATE ON SCHEMA public TO rowcast_test_app").await.unwrap();
    stage.write("CREATE TABLE public.unrelated (id int); ALTER TABLE public.unrelated ADD COLUMN x int").await;
    stage.own("SELECT rowcast.detach('public.ev')").await;
}

#[tokio::test]
async fn a_detached_partition_is_let_go_by_a_refresh() {
    let stage = Stage::new(EVENTS).await;
    stage.attach(ATTACH).await;
    stage
        .own("ALTER TABLE public.ev DETACH PARTITION public.ev1; ALTER TABLE public.ev DETACH PARTITION public.ev2")
        .await;
    stage.own("SELECT rowcast.refresh_attachments()").await;
    stage.write("INSERT INTO ev1 VALUES (1, 1, 'a', 'x'); INSERT INTO ev2 (id, part) VALUES (1, 2)").await;
    assert_eq!(stage.told().await, [""; 0]);
}

#[tokio::test]
async fn a_partition_by_itself_is_refused() {
    let stage = Stage::new(EVENTS).await;
    let refusal = stage.refusal("'public.ev3a', 'user_activity'").await;
    assert!(refusal.starts_with("public.ev3a is a partition or child of public.ev3"), "{refusal}");
    stage.attach(ATTACH).await;
    stage.refusal("'public.ev1', 'user_activity'").await;
}

#[tokio::test]
async fn a_row_is_never_captured_twice() {
    let stage = Stage::new(EVENTS).await;
    stage.own("CREATE TABLE public.ev5 (id int NOT NULL, part int NOT NULL, org text, note text)").await;
    stage.attach("'public.ev5', 'user_activity', organization_id => 'r.org'").await;
    stage.own("ALTER TABLE public.ev ATTACH PARTITION public.ev5 FOR VALUES IN (5)").await;
    let refusal = stage.refusal(ATTACH).await;
    assert!(refusal.starts_with("rows of public.ev5 would be captured twice"), "{refusal}");

    // Or the other way round: the parent was attached before its new partition was one.
    stage.own("SELECT rowcast.detach('public.ev5')").await;
    stage.attach(ATTACH).await;
    stage.own("CREATE TABLE public.ev6 (id int NOT NULL, part int NOT NULL, org text, note text)").await;
    stage.attach("'public.ev6', 'user_activity', organization_id => 'r.org'").await;
    stage.own("ALTER TABLE public.ev ATTACH PARTITION public.ev6 FOR VALUES IN (6)").await;
    let outcome =
        stage.writer.query_one("SELECT DISTINCT outcome FROM rowcast.refresh_attachments()", &[]).await.unwrap();
    assert!(
        outcome.get::<_, &str>(0).starts_with("-- public.ev6 is attached to user_activity by itself"),
        "{outcome:?}"
    );
    stage.write("INSERT INTO ev6 VALUES (1, 6, 'a', 'x')").await;
    assert_eq!(stage.told().await.len(), 1);
}

#[tokio::test]
async fn detach_takes_every_trigger_and_function_away() {
    let stage = Stage::new(EVENTS).await;
    stage.attach(ATTACH).await;
    stage.own("SELECT rowcast.detach('public.ev')").await;
    let left: i64 = stage
        .superuser
        .query_one(
            "SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'rowcast%' AND tgrelid::regclass::text LIKE 'ev%')
                  + (SELECT count(*) FROM pg_proc WHERE pronamespace::regnamespace::text = 'rowcast_capture_' || 'rowcast_test_writer'::regrole::oid)",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 0);
}
