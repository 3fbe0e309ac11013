//! `group_by`: whatever statements do, the events of groups say what plain SQL says of the tables.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Stage,
    groups::{counted, items},
};

/// Sums of the table by group and organization, as `data` tells them.
const SUMS: &str = "organization_id => 'r.org', group_by => 'r.box', data => $$jsonb_build_object('sum',
    (SELECT coalesce(sum(i.v), 0)::int FROM items i WHERE i.box = r.box AND i.org = r.org), 'rows', rows)$$";

/// Plays the events as a client would: the last word on each group is what the table says.
async fn agree(stage: &Stage) {
    let mut told: BTreeMap<(String, String), Value> = BTreeMap::new();
    for event in stage.events().await {
        told.insert((event.key.unwrap(), event.organization_id.unwrap()), event.data["sum"].clone());
    }
    let sums = "SELECT box, org, sum(v)::int FROM public.items WHERE box IS NOT NULL GROUP BY 1, 2";
    let table: BTreeMap<(String, String), Value> = stage
        .superuser
        .query(sums, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| ((row.get(0), row.get(1)), json!(row.get::<_, i32>(2))))
        .collect();
    told.retain(|group, sum| table.contains_key(group) || *sum != 0);
    assert_eq!(told, table);
}

#[tokio::test]
async fn the_last_event_of_a_group_agrees_with_the_table_whatever_triggers_of_the_app_do() {
    for (kind, body) in [
        ("ROW", "IF TG_OP = 'INSERT' THEN UPDATE items SET v = v + 10 WHERE id = NEW.id; END IF;"),
        ("ROW", "IF TG_OP = 'INSERT' THEN UPDATE items SET box = 'moved', org = 'o9' WHERE id = NEW.id; END IF;"),
        ("ROW", "IF TG_OP = 'INSERT' AND NEW.id % 2 = 0 THEN DELETE FROM items WHERE id = NEW.id; END IF;"),
        ("ROW", "IF TG_OP = 'DELETE' AND OLD.v > 0 THEN INSERT INTO items VALUES (OLD.id, 'back', OLD.org); END IF;"),
        ("STATEMENT", "IF pg_trigger_depth() = 1 THEN UPDATE items SET v = v + 1 WHERE box = 'a'; END IF;"),
    ] {
        for on_error in ["fail", "skip"] {
            let stage = items(&format!("{SUMS}, on_error => '{on_error}'")).await;
            stage
                .own(&format!(
                    "CREATE FUNCTION public.nest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$;
                     CREATE TRIGGER a_nest AFTER INSERT OR UPDATE OR DELETE ON items FOR EACH {kind} EXECUTE FUNCTION public.nest()"
                ))
                .await;
            stage.write("INSERT INTO items (id, box, org, v) SELECT i, substr('abc', i % 3 + 1, 1), 'o' || i % 2, i FROM generate_series(1, 12) i").await;
            stage.write("UPDATE items SET v = v * 2, box = 'a' WHERE id < 5").await;
            stage.write("DELETE FROM items WHERE id > 8").await;
            stage.seen.set(0);
            agree(&stage).await;
        }
    }
}

/// What one statement changed, told by plain SQL over the table before and after.
const ORACLE: &str = "
    SELECT format('%s %s %s %s', $1::text, g.box, CASE WHEN g.org IS NULL THEN 'nobody' ELSE '@' || g.org END, count(*))
    FROM (
        SELECT box, org FROM before b WHERE b.state <> 'draft' AND NOT EXISTS
            (SELECT FROM public.items i WHERE i.id = b.id AND i.state <> 'draft' AND i.box IS NOT DISTINCT FROM b.box AND i.org IS NOT DISTINCT FROM b.org)
        UNION ALL
        SELECT i.box, i.org FROM public.items i LEFT JOIN before b ON b.id = i.id AND b.state <> 'draft' AND i.box IS NOT DISTINCT FROM b.box AND i.org IS NOT DISTINCT FROM b.org
        WHERE i.state <> 'draft' AND (b.id IS NULL OR b.v <> i.v)
    ) g
    WHERE g.box IS NOT NULL GROUP BY g.box, g.org ORDER BY 1";

#[tokio::test]
async fn random_statements_make_the_events_that_plain_sql_says() {
    let stage = items(
        "organization_id => 'r.org', group_by => 'r.box', filter => $$r.state <> 'draft'$$, changed_columns => '{v}'",
    )
    .await;
    stage
        .superuser
        .batch_execute("SELECT setseed(0.6); CREATE TEMPORARY TABLE before (LIKE public.items)")
        .await
        .unwrap();
    let box_of = "(ARRAY['a','b','c',NULL])[1 + floor(random() * 4)::int]";
    let org_of = "(ARRAY['o1','o2',NULL])[1 + floor(random() * 3)::int]";
    let state_of = "(ARRAY['new','draft','done'])[1 + floor(random() * 3)::int]";
    let statements = [
        (
            "INSERT",
            format!(
                "INSERT INTO public.items SELECT coalesce((SELECT max(id) FROM public.items), 0) + i, {box_of}, {org_of}, 'x', {state_of}, i FROM generate_series(1, 12) i"
            ),
        ),
        ("UPDATE", format!("UPDATE public.items SET box = {box_of} WHERE random() < 0.4")),
        ("UPDATE", format!("UPDATE public.items SET org = {org_of}, owner = 'y' WHERE random() < 0.4")),
        (
            "UPDATE",
            format!(
                "UPDATE public.items SET state = {state_of}, v = v + floor(random() * 2)::int WHERE random() < 0.6"
            ),
        ),
        ("UPDATE", "UPDATE public.items SET v = v + 1 WHERE random() < 0.3".to_owned()),
        ("DELETE", "DELETE FROM public.items WHERE random() < 0.2".to_owned()),
    ];
    let mut events = 0;
    for round in 0..60 {
        let (operation, statement) = &statements[(round * 7 + round / 6) % statements.len()];
        stage
            .superuser
            .batch_execute(&format!("DELETE FROM before; INSERT INTO before TABLE public.items; {statement}"))
            .await
            .unwrap();
        let expected: Vec<String> =
            stage.superuser.query(ORACLE, &[operation]).await.unwrap().iter().map(|row| row.get(0)).collect();
        let told = counted(&stage).await;
        let mut sorted = expected;
        sorted.sort();
        assert_eq!(told, sorted, "round {round}: {statement}");
        events += told.len();
    }
    assert!(events > 150, "only {events} events were compared");
}
