//! Triggers of the app that write the same table: the last event of a key agrees with the table.

use std::collections::BTreeMap;

use super::Stage;

/// A table whose row trigger does what `v` says, and an attachment to it.
async fn stage(trigger_body: &str, kind: &str) -> Stage {
    let stage = Stage::new("CREATE TABLE public.n (id int PRIMARY KEY, v int, org text)").await;
    stage
        .own(&format!(
            "CREATE FUNCTION public.nest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {trigger_body} RETURN NULL; END $$;
             CREATE TRIGGER a_nest AFTER INSERT OR UPDATE OR DELETE ON n FOR EACH {kind} EXECUTE FUNCTION public.nest()"
        ))
        .await;
    stage.attach("'public.n', 'user_activity', organization_id => 'r.org'").await;
    stage
}

/// Plays the events of one organisation, as a client would, and compares with the table.
async fn agree(stage: &Stage) {
    let mut seen: BTreeMap<(String, String), i64> = BTreeMap::new();
    for event in stage.events().await {
        let place = (event.organization_id.clone().unwrap(), event.key.clone().unwrap());
        if event.operation == "DELETE" {
            seen.remove(&place);
        } else {
            seen.insert(place, event.data["v"].as_i64().unwrap());
        }
    }
    let rows = stage.superuser.query("SELECT org, id::text, v::bigint FROM public.n", &[]).await.unwrap();
    let table: BTreeMap<_, _> = rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect();
    assert_eq!(seen, table);
}

#[tokio::test]
async fn an_update_of_the_row_just_written() {
    let stage =
        stage("IF TG_OP <> 'DELETE' AND NEW.v < 3 THEN UPDATE n SET v = v + 1 WHERE id = NEW.id; END IF;", "ROW").await;
    stage.write("INSERT INTO n VALUES (1, 0, 'a'), (2, 5, 'a'), (3, 2, 'b')").await;
    stage.seen.set(0);
    agree(&stage).await;
    stage.write("UPDATE n SET v = 1 WHERE id = 2").await;
    stage.write("UPDATE n SET v = 0").await;
    stage.seen.set(0);
    agree(&stage).await;
}

#[tokio::test]
async fn the_event_after_a_nested_update_is_not_stale() {
    let stage = stage("IF TG_OP = 'INSERT' THEN UPDATE n SET v = 7 WHERE id = NEW.id; END IF;", "ROW").await;
    stage.write("INSERT INTO n VALUES (1, 0, 'a')").await;
    let events = stage.events().await;
    assert_eq!(events.iter().map(super::Event::summary).collect::<Vec<_>>(), ["UPDATE 1 @a", "INSERT 1 @a"]);
    assert_eq!(events[1].data["v"], 7);
}

#[tokio::test]
async fn a_nested_update_that_makes_no_event_is_known_of_too() {
    let stage = Stage::new("CREATE TABLE public.n (id int PRIMARY KEY, v int, org text)").await;
    stage
        .own(
            "CREATE FUNCTION public.nest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE n SET v = 7 WHERE id = NEW.id; RETURN NULL; END $$;
             CREATE TRIGGER a_nest AFTER INSERT ON n FOR EACH ROW EXECUTE FUNCTION public.nest()",
        )
        .await;
    stage.attach("'public.n', 'user_activity', organization_id => 'r.org', changed_columns => '{org}'").await;
    for id in [1, 2] {
        stage.write(&format!("INSERT INTO n VALUES ({id}, 0, 'a')")).await;
        let events = stage.events().await;
        assert_eq!(events.iter().map(super::Event::summary).collect::<Vec<_>>(), [format!("INSERT {id} @a")]);
        assert_eq!(events[0].data["v"], 7);
    }
}

#[tokio::test]
async fn a_delete_and_insert_of_the_same_key() {
    let stage =
        stage("IF TG_OP = 'DELETE' AND OLD.v > 0 THEN INSERT INTO n VALUES (OLD.id, 0, OLD.org); END IF;", "ROW").await;
    stage.write("INSERT INTO n VALUES (1, 5, 'a'), (2, 0, 'a')").await;
    stage.write("DELETE FROM n").await;
    stage.seen.set(0);
    agree(&stage).await;
    let there: i64 = stage.superuser.query_one("SELECT count(*) FROM public.n", &[]).await.unwrap().get(0);
    assert_eq!(there, 1);
}

#[tokio::test]
async fn a_row_that_comes_back_elsewhere_is_gone_for_those_who_saw_it() {
    let stage =
        stage("IF TG_OP = 'DELETE' AND OLD.org = 'a' THEN INSERT INTO n VALUES (OLD.id, 0, 'b'); END IF;", "ROW").await;
    stage.write("INSERT INTO n VALUES (1, 5, 'a')").await;
    stage.write("DELETE FROM n").await;
    stage.seen.set(0);
    agree(&stage).await;
}

#[tokio::test]
async fn a_nested_delete_of_the_row_just_written() {
    let stage = stage("IF TG_OP <> 'DELETE' AND NEW.v = 9 THEN DELETE FROM n WHERE id = NEW.id; END IF;", "ROW").await;
    stage.write("INSERT INTO n VALUES (1, 9, 'a'), (2, 1, 'a')").await;
    stage.write("UPDATE n SET v = 9").await;
    stage.seen.set(0);
    agree(&stage).await;
}

#[tokio::test]
async fn a_nested_change_of_key_and_organization() {
    let stage = stage(
        "IF TG_OP = 'UPDATE' AND NEW.v = 1 THEN UPDATE n SET id = NEW.id + 100, org = 'b', v = 2 WHERE id = NEW.id; END IF;",
        "ROW",
    )
    .await;
    stage.write("INSERT INTO n VALUES (1, 0, 'a'), (2, 0, 'a'), (3, 0, 'a')").await;
    stage.write("UPDATE n SET v = 1 WHERE id = 1").await;
    stage.write("UPDATE n SET v = 1, id = id + 10 WHERE id IN (2, 3)").await;
    stage.seen.set(0);
    agree(&stage).await;
}

#[tokio::test]
async fn a_statement_trigger_that_fires_before_ours() {
    let stage = stage("IF pg_trigger_depth() = 1 THEN UPDATE n SET v = v + 1; END IF;", "STATEMENT").await;
    stage.write("INSERT INTO n VALUES (1, 0, 'a'), (2, 0, 'a')").await;
    stage.write("UPDATE n SET v = 10 WHERE id = 1").await;
    stage.write("DELETE FROM n WHERE id = 2").await;
    stage.seen.set(0);
    agree(&stage).await;
}

#[tokio::test]
async fn a_trigger_of_another_table_that_writes_this_one() {
    let stage = stage("IF TG_OP = 'INSERT' THEN UPDATE n SET v = v + 1 WHERE id = NEW.id; END IF;", "ROW").await;
    stage
        .own(
            "CREATE TABLE public.other (id int);
             CREATE FUNCTION public.pass_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO n VALUES (NEW.id, 0, 'a'); RETURN NULL; END $$;
             CREATE TRIGGER pass_on AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION public.pass_on()",
        )
        .await;
    stage.write("INSERT INTO other VALUES (1), (2)").await;
    // Later in the same transaction, at the surface, the note is still there and does no harm.
    stage.write("BEGIN; INSERT INTO other VALUES (3); INSERT INTO n VALUES (4, 0, 'a'); UPDATE n SET v = 5 WHERE id = 3; COMMIT").await;
    stage.seen.set(0);
    agree(&stage).await;
}

#[tokio::test]
async fn a_note_is_rolled_back_with_its_savepoint_and_ends_with_its_transaction() {
    let stage =
        stage("IF TG_OP = 'INSERT' AND NEW.v = 0 THEN UPDATE n SET v = 1 WHERE id = NEW.id; END IF;", "ROW").await;
    stage.write("BEGIN; SAVEPOINT s; INSERT INTO n VALUES (1, 0, 'a'); ROLLBACK TO s; COMMIT; INSERT INTO n VALUES (1, 0, 'a')").await;
    stage.seen.set(0);
    agree(&stage).await;
    let note =
        "SELECT count(*) FROM pg_proc p WHERE starts_with(p.pronamespace::regnamespace::text, 'rowcast_capture_') AND p.pronargs = 0
                AND nullif(current_setting('rowcast.depth_' || p.proname, true), '') IS NOT NULL";
    stage.superuser.batch_execute("INSERT INTO public.n VALUES (2, 0, 'a')").await.unwrap();
    assert_eq!(stage.superuser.query_one(note, &[]).await.unwrap().get::<_, i64>(0), 0);
}
