//! What is in `data`: the whole row, what never leaves, what does not fit, and what the app's settings do not change.

use std::fmt::Write;

use serde_json::json;

use super::{DOCS, Stage};

#[tokio::test]
async fn excluded_columns_stay_out_even_when_renamed() {
    let stage = Stage::new("CREATE TABLE public.docs (id int PRIMARY KEY, title text, notes text, draft text)").await;
    stage.attach("'public.docs', 'document_processing', exclude => '{notes,draft}'").await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'b', 'c')").await;
    assert_eq!(stage.only_data().await, json!({"id": 1, "title": "a"}));
    // In a session that has its plan already.
    stage.own("ALTER TABLE docs RENAME notes TO remarks; ALTER TABLE docs RENAME title TO notes").await;
    stage.write("INSERT INTO docs VALUES (2, 'a', 'b', 'c')").await;
    assert_eq!(stage.only_data().await, json!({"id": 2, "notes": "a"}));
    stage.own("ALTER TABLE docs DROP COLUMN draft").await;
    stage.write("UPDATE docs SET remarks = 'd' WHERE id = 2").await;
    assert_eq!(stage.only_data().await, json!({"id": 2, "notes": "a"}));
}

#[tokio::test]
async fn new_columns_are_in_the_payload_and_secret_ones_are_not() {
    let stage = Stage::new(DOCS).await;
    stage.attach("'public.docs', 'document_processing'").await;
    stage.write("INSERT INTO docs VALUES (1)").await;
    stage.told().await;
    stage.own("ALTER TABLE docs ADD COLUMN pages int DEFAULT 3, ADD COLUMN password_hash text DEFAULT 'x'").await;
    stage.write("UPDATE docs SET title = 'y'").await;
    assert_eq!(stage.only_data().await, json!({"id": 1, "org": null, "title": "y", "pages": 3}));
}

#[tokio::test]
async fn columns_that_look_secret_never_leave() {
    let secret = [
        "password",
        "Password",
        "password_hash",
        "user_passwd",
        "secret",
        "client_secret",
        "totp_secret",
        "access_token",
        "resetToken",
        "token",
        "api_key",
        "apiKey",
        "private_key",
        "salt",
        "otp",
        "recovery_codes",
        "card_number",
        "cvv",
        "ssn",
    ];
    let open = [
        "token_count",
        "tokens_used",
        "prompt_tokens_total",
        "keyboard",
        "secretary",
        "passport_country",
        "monkey",
        "key",
    ];
    let mut columns = String::new();
    for name in secret.iter().chain(&open) {
        write!(columns, r#", "{name}" text DEFAULT 'x'"#).unwrap();
    }
    let stage = Stage::new(&format!("CREATE TABLE public.accounts (id int PRIMARY KEY{columns})")).await;
    stage.attach("'public.accounts', 'user_activity'").await;
    stage.write("INSERT INTO accounts VALUES (1)").await;
    let data = stage.only_data().await;
    let mut names: Vec<_> = data.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected: Vec<_> = open.into_iter().chain(["id"]).collect();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);

    // What looks secret is the DBA's to say, and counts at once, in sessions that have their plans too.
    stage.db.connect().await.batch_execute("INSERT INTO rowcast.secret_patterns VALUES ('keyboard')").await.unwrap();
    stage.write("INSERT INTO accounts VALUES (2)").await;
    assert_eq!(stage.only_data().await.get("keyboard"), None);
}

#[tokio::test]
async fn columns_with_the_names_that_generated_code_uses() {
    let names = [
        "r",
        "o",
        "n",
        "e",
        "c",
        "t",
        "p",
        "d",
        "v",
        "old",
        "new",
        "data",
        "key",
        "change",
        "operation",
        "organization_id",
        "number",
        "rows",
        "audience",
        "rung",
        "depth",
        "nested",
        "wanted",
        "source",
    ];
    let mut columns = String::new();
    let mut expected = json!({"id": 1});
    for name in names {
        write!(
            columns,
            ", {} text DEFAULT '{name}!'",
            if matches!(name, "old" | "new") { format!("\"{name}\"") } else { name.to_owned() }
        )
        .unwrap();
        expected[name] = format!("{name}!").into();
    }
    let stage = Stage::new(&format!("CREATE TABLE public.t (id int PRIMARY KEY{columns})")).await;
    stage.attach("'public.t', 'user_activity', organization_id => 'r.organization_id', filter => $$r.r = 'r!'$$").await;
    stage
        .attach("'public.t', 'document_processing', organization_id => 'r.r', changed_columns => '{r,n,data}', data => $$to_jsonb(r.*)$$, on_error => 'skip'")
        .await;
    stage.write("INSERT INTO t (id) VALUES (1)").await;
    let events = stage.events().await;
    assert_eq!(events.len(), 2);
    for event in &events {
        assert_eq!(event.data, expected, "{}", event.kind);
    }
    stage.write("UPDATE t SET n = 'x'").await;
    stage.write("UPDATE t SET id = 2").await;
    let mut told = stage.told().await;
    told.sort();
    assert_eq!(
        told,
        [
            "DELETE 1 @organization_id!",
            "DELETE 1 @r!",
            "INSERT 2 @organization_id!",
            "INSERT 2 @r!",
            "UPDATE 1 @organization_id!",
            "UPDATE 1 @r!"
        ]
    );
}

#[tokio::test]
async fn the_apps_settings_change_nothing() {
    let stage = Stage::new(
        "CREATE TABLE public.t (id int PRIMARY KEY, at timestamptz, day date, span interval, f float8, g real, raw bytea, cash money, during tstzrange)",
    )
    .await;
    stage.attach("'public.t', 'user_activity'").await;
    stage
        .attach("'public.t', 'document_processing', data => $$jsonb_build_object('at', r.at::text, 'span', r.span::text, 'f', r.f::text, 'raw', r.raw::text)$$, organization_id => 'r.day'")
        .await;
    let row = "'2026-01-02 03:04:05+00', '2026-01-02', '1 day 02:03', 0.1, 0.3, '\\xff', 1.5, '[2026-01-02 00:00+00, 2026-01-03 00:00+00)'";
    stage.write(&format!("INSERT INTO t VALUES (1, {row})")).await;
    let plain = stage.events().await;
    stage
        .write(
            "SET TimeZone = 'Asia/Tokyo'; SET IntervalStyle = 'postgres_verbose'; SET extra_float_digits = -10;
             SET bytea_output = 'escape'; SET search_path = pg_temp; BEGIN; SET LOCAL DateStyle = 'SQL, DMY';
             INSERT INTO public.t SELECT 1 + id, at, day, span, f, g, raw, cash, during FROM public.t; COMMIT",
        )
        .await;
    let odd = stage.events().await;
    assert_eq!(plain.len(), 2);
    for (plain, odd) in plain.iter().zip(&odd) {
        let mut expected = plain.data.clone();
        if expected.get("id").is_some() {
            expected["id"] = 2.into();
        }
        assert_eq!(odd.data, expected);
        assert_eq!(odd.organization_id, plain.organization_id);
    }
    let whole = plain.iter().find(|event| event.kind == "user_activity").unwrap();
    assert_eq!(whole.data["at"], "2026-01-02T03:04:05+00:00");
    assert_eq!(whole.data["span"], "P1DT2H3M");
    assert_eq!(whole.data["raw"], "\\xff");
    // And the app has its own back.
    let zone: String = stage.app.query_one("SELECT current_setting('TimeZone')", &[]).await.unwrap().get(0);
    assert_eq!(zone, "Asia/Tokyo");
}

#[tokio::test]
async fn a_column_added_later_does_not_depend_on_settings_after_a_refresh() {
    let stage = Stage::new("CREATE TABLE public.t (id int PRIMARY KEY)").await;
    stage.attach("'public.t', 'user_activity'").await;
    stage.own("ALTER TABLE t ADD COLUMN at timestamptz DEFAULT '2026-01-02 03:04:05+00', ADD COLUMN span interval DEFAULT '1 day 02:03'").await;
    stage.own("SELECT rowcast.refresh_attachments()").await;
    stage.write("SET TimeZone = 'Asia/Tokyo'; SET IntervalStyle = 'postgres_verbose'; INSERT INTO t VALUES (1)").await;
    assert_eq!(stage.only_data().await, json!({"id": 1, "at": "2026-01-02T03:04:05+00:00", "span": "P1DT2H3M"}));
}

#[tokio::test]
async fn json_that_jsonb_cannot_hold_is_truncated_and_does_not_fail_the_write() {
    for bad in [r#"{"a": "\u0000"}"#, r#"{"a": "\ud800"}"#, r#"{"a": 1e400000}"#] {
        let stage = Stage::new("CREATE TABLE public.docs (id int PRIMARY KEY, org text, body json)").await;
        stage.attach("'public.docs', 'document_processing', organization_id => 'r.org'").await;
        stage.write(&format!("INSERT INTO docs VALUES (1, 'a', '{bad}'), (2, 'a', '{{\"a\": 1}}')")).await;
        let events = stage.events().await;
        assert_eq!(events[0].data, json!({"truncated": true, "id": 1}), "{bad}");
        assert_eq!(events[0].organization_id.as_deref(), Some("a"));
        assert_eq!(events[1].data["body"], json!({"a": 1}));
        stage.write("UPDATE docs SET org = 'b'; DELETE FROM docs").await;
        assert_eq!(stage.told().await.len(), 6);
    }
}

#[tokio::test]
async fn json_hidden_in_other_types_is_guarded_too() {
    let stage = Stage::new(
        "CREATE TYPE public.box_of_json AS (content json); CREATE DOMAIN public.my_json AS json;
         CREATE TABLE public.a (id int PRIMARY KEY, v public.box_of_json);
         CREATE TABLE public.b (id int PRIMARY KEY, v public.my_json);
         CREATE TABLE public.c (id int PRIMARY KEY, v json[])",
    )
    .await;
    for (table, value) in [("a", r#"ROW('"\u0000"')"#), ("b", r#"'"\u0000"'"#), ("c", r#"ARRAY['"\u0000"'::json]"#)] {
        stage.attach(&format!("'public.{table}', 'user_activity'")).await;
        stage.write(&format!("INSERT INTO {table} VALUES (1, {value})")).await;
        assert_eq!(stage.only_data().await, json!({"truncated": true, "id": 1}), "{table}");
    }
}

#[tokio::test]
async fn rows_beyond_the_limit_are_truncated_to_their_key() {
    let stage = Stage::new("CREATE TABLE public.docs (a int, b bigint, body text, PRIMARY KEY (a, b))").await;
    stage.attach("'public.docs', 'document_processing'").await;
    stage.write("INSERT INTO docs VALUES (1, 9007199254740993, repeat('x', 70000)), (2, 3, repeat('x', 60000))").await;
    let data = stage.data().await;
    assert_eq!(data[0], json!({"truncated": true, "a": 1, "b": "9007199254740993"}));
    assert_eq!(data[1]["body"].as_str().unwrap().len(), 60_000);

    let owner = stage.db.connect().await;
    owner.batch_execute("UPDATE rowcast.settings SET value = '1000' WHERE name = 'max_payload_bytes'").await.unwrap();
    // In a session that has its plan already.
    stage.write("INSERT INTO docs VALUES (3, 3, repeat('x', 2000)), (4, 4, 'small')").await;
    let data = stage.data().await;
    assert_eq!(data[0], json!({"truncated": true, "a": 3, "b": 3}));
    assert_eq!(data[1]["body"], "small");
    for (nonsense, complaint) in [("a lot", "not a number"), ("7", "out of range"), ("999999999", "out of range")] {
        let error = owner
            .execute("UPDATE rowcast.settings SET value = $1 WHERE name = 'max_payload_bytes'", &[&nonsense])
            .await
            .unwrap_err();
        assert!(super::words(&error).contains(complaint));
    }
}

#[tokio::test]
async fn the_result_of_an_expression_is_limited_as_well() {
    let stage = Stage::new("CREATE TABLE public.docs (id text PRIMARY KEY, body text)").await;
    stage.attach("'public.docs', 'document_processing', data => $$jsonb_build_object('body', r.body, 'size', length(r.body))$$").await;
    stage.attach("'public.docs', 'user_activity', data => $$jsonb_build_object('size', length(r.body))$$").await;
    stage.write("INSERT INTO docs VALUES ('x', repeat('x', 70000))").await;
    let mut events = stage.events().await;
    events.sort_by(|a, b| a.kind.cmp(&b.kind));
    assert_eq!(events[0].data, json!({"truncated": true, "id": "x"}));
    assert_eq!(events[1].data, json!({"size": 70000}), "what is not sent may be as large as it likes");
}

#[tokio::test]
async fn huge_values_are_not_converted_to_find_out_that_they_are_too_large() {
    let stage = Stage::new("CREATE TABLE public.docs (id int PRIMARY KEY, body text, raw bytea)").await;
    stage.attach("'public.docs', 'document_processing'").await;
    // jsonb cannot hold either: "string too long to represent as jsonb string".
    stage.write("INSERT INTO docs (id, body) VALUES (1, repeat('x', 300000000))").await;
    stage.write("INSERT INTO docs (id, raw) SELECT 2, decode(repeat('00', 150000000), 'hex')").await;
    assert_eq!(stage.data().await, [json!({"truncated": true, "id": 1}), json!({"truncated": true, "id": 2})]);
}

#[tokio::test]
async fn after_a_restore_excluded_columns_are_known_by_name_or_not_at_all() {
    let stage = Stage::new("CREATE TABLE public.docs (gone int, id int PRIMARY KEY, title text, notes text); ALTER TABLE public.docs DROP COLUMN gone").await;
    stage.attach("'public.docs', 'document_processing', exclude => '{notes}'").await;
    // What a restore does: another OID, and columns numbered without the dropped one.
    let restore = "
        DO $$
        DECLARE
            attachment text := (SELECT a.attachment FROM rowcast.attachment_triggers a WHERE a.attachment LIKE '%docs%' LIMIT 1);
        BEGIN
            EXECUTE format('COMMENT ON FUNCTION %s() IS %L', attachment,
                (SELECT facts || jsonb_build_object('relation', '1', 'excluded', jsonb_build_object('3', $1)) FROM rowcast.attachment_triggers a WHERE a.attachment LIKE '%docs%' LIMIT 1));
        END $$";
    stage.own(&restore.replace("$1", "'notes'")).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'b')").await;
    assert_eq!(stage.only_data().await, json!({"id": 1, "title": "a"}));
    let refreshed = stage.writer.query("SELECT outcome FROM rowcast.refresh_attachments()", &[]).await.unwrap();
    assert_eq!(refreshed.len(), 1);
    let excluded: Vec<String> =
        stage.writer.query_one("SELECT exclude FROM rowcast.attachments", &[]).await.unwrap().get(0);
    assert_eq!(excluded, ["notes"]);

    // Renamed before it was dumped: nobody knows which one it is, so nothing is sent.
    stage.own(&restore.replace("$1", "'remarks'")).await;
    let app = stage.db.connect_as(crate::harness::Role::App).await;
    app.batch_execute("INSERT INTO docs VALUES (2, 'a', 'b')").await.unwrap();
    assert_eq!(stage.only_data().await, json!({"truncated": true, "id": 2}));
    let refreshed = stage.writer.query_one("SELECT outcome FROM rowcast.refresh_attachments()", &[]).await.unwrap();
    assert!(refreshed.get::<_, &str>(0).starts_with("-- restored"), "{refreshed:?}");
}
