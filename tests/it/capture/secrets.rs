//! What looks secret is not sent with a whole row: whatever it is called, and however deep inside of a column it is.

use serde_json::{Value, json};

use super::{Stage, words};
use crate::harness::Role;

/// Names that must be found; docs/capture.md shows some of them.
const SECRET: [&str; 76] = [
    "password",
    "Password",
    "passWord",
    "passwords",
    "password_hash",
    "encrypted_password",
    "user_passwd",
    "pwd",
    "pw_hash",
    "smtp_pass",
    "secret",
    "client_secret",
    "clientSecret",
    "JWTSecret",
    "totp_secret",
    "token",
    "access_token",
    "resetToken",
    "token_hash",
    "refreshtoken",
    "accessTokens",
    "api_tokens",
    "api_key",
    "apiKey",
    "APIKey",
    "X-Api-Key",
    "private_key",
    "privateKeyPem",
    "ssh_key",
    "signing_key",
    "aws_access_key_id",
    "aws_secret_access_key",
    "encryption_keys",
    "master_key",
    "server_pem",
    "keystore",
    "credentials",
    "credential_id",
    "salt",
    "otp",
    "totp_uri",
    "recovery_codes",
    "backup_codes",
    "authorization",
    "Authorization",
    "proxy-authorization",
    "authorization_header",
    "auth",
    "cookie",
    "Set-Cookie",
    "cookies",
    "session_key",
    "sessionKey",
    "session_token",
    "PHPSESSID",
    "connect.sid",
    "jwt",
    "jwtPayload",
    "bearer",
    "bearer_token",
    "samlResponse",
    "code_verifier",
    "magic_link",
    "csrf",
    "xsrf_token",
    "dsn",
    "sentry_dsn",
    "connection_string",
    "connectionString",
    "database_url",
    "redisUrl",
    "card_number",
    "cardNo",
    "cvv",
    "pan",
    "iban",
];

/// Names that only sound like it.
const OPEN: [&str; 54] = [
    "id",
    "key",
    "keys",
    "public_key",
    "primary_key",
    "foreign_key",
    "object_key",
    "storage_key",
    "sort_key",
    "idempotency_key",
    "keyboard",
    "monkey",
    "token_count",
    "tokenCount",
    "tokens",
    "tokens_used",
    "tokenUsage",
    "prompt_tokens",
    "completionTokens",
    "max_tokens",
    "prompt_tokens_total",
    "tokenizer",
    "session_id",
    "sessionId",
    "session",
    "session_count",
    "cookie_consent",
    "cookiePolicy",
    "author",
    "authorId",
    "authors",
    "authorized",
    "authorized_at",
    "authority",
    "two_factor_auth",
    "authentication_method",
    "secretary",
    "passport_country",
    "passenger",
    "compass",
    "passed",
    "passes",
    "boarding_pass",
    "hash",
    "content_hash",
    "url",
    "image_url",
    "connection",
    "connection_id",
    "card",
    "card_brand",
    "card_last4",
    "panel",
    "company",
];

/// A table with everything that can nest.
const ACCOUNTS: &str = "
    CREATE TYPE public.login AS (name text, password text, numbers numeric[]);
    CREATE TABLE public.accounts (id int PRIMARY KEY, big bigint, exact numeric, meta jsonb, raw json, login public.login, logins public.login[], list jsonb[])";

async fn accounts() -> Stage {
    let stage = Stage::new(ACCOUNTS).await;
    stage.attach("'public.accounts', 'user_activity'").await;
    stage
}

/// What is sent of a row with this in `meta`.
async fn sent(stage: &Stage, meta: &str) -> Value {
    let insert = "INSERT INTO accounts (id, meta) SELECT coalesce(max(id), 0) + 1, $1::text::jsonb FROM accounts";
    stage.app.execute(insert, &[&meta]).await.unwrap();
    stage.only_data().await
}

#[tokio::test]
async fn names_that_look_secret_and_names_that_do_not() {
    let stage = Stage::new("").await;
    let judge = "SELECT array_agg(name) FILTER (WHERE rowcast.looks_secret(name)), array_agg(name) FILTER (WHERE NOT rowcast.looks_secret(name))
                 FROM unnest($1::text[]) AS name";
    let names: Vec<_> = SECRET.into_iter().chain(OPEN).collect();
    let judged = stage.writer.query_one(judge, &[&names]).await.unwrap();
    assert_eq!(judged.get::<_, Vec<String>>(0), SECRET);
    assert_eq!(judged.get::<_, Vec<String>>(1), OPEN);
}

#[tokio::test]
async fn the_first_look_misses_nothing_that_looks_secret() {
    let stage = Stage::new("").await;
    // Names of two or three words, in every way to write them, each as it stands in the text of a payload.
    let missed = "
        WITH words AS (
            SELECT DISTINCT w FROM rowcast.secret_patterns p, unnest(rowcast.spelled_out(p.pattern)) AS n, regexp_split_to_table(n, '[^a-z0-9]+') AS w WHERE w <> ''
            UNION SELECT unnest('{my,x,id,2}'::text[])
        ), names AS (
            SELECT s.name
            FROM words a, words b, LATERAL (VALUES
                (a.w), (a.w || '_' || b.w), (a.w || '-' || b.w), ('my__' || a.w || '. ' || b.w), (a.w || initcap(b.w)), (initcap(a.w) || initcap(b.w)), (upper(a.w) || initcap(b.w)),
                (upper(a.w || '_' || b.w)), (a.w || b.w), ('a/' || a.w || ':' || b.w), ('_' || a.w || '_'), (a.w || '_' || b.w || '_x')
            ) AS s (name)
        )
        SELECT count(*) FILTER (WHERE rowcast.looks_secret(name)),
               array_agg(name) FILTER (WHERE rowcast.looks_secret(name) AND NOT jsonb_build_object(name, 1)::text COLLATE \"C\" ~* rowcast.secret_needles())
        FROM (SELECT name FROM names ORDER BY md5(name) LIMIT 5000) AS chosen";
    let looked = stage.superuser.query_one(missed, &[]).await.unwrap();
    assert!(looked.get::<_, i64>(0) > 500, "{looked:?}");
    assert_eq!(looked.get::<_, Option<Vec<String>>>(1), None);
}

#[tokio::test]
async fn keys_inside_of_columns_are_taken_out_at_any_depth() {
    let stage = accounts().await;
    let meta = json!({
        "headers": {"Authorization": "Bearer x", "Set-Cookie": ["a", "b"], "accept": "*/*"},
        "items": [{"token": 1, "sku": "a"}, [{"apiKey": {"deep": true}, "n": [1, {"password": null}]}], 7, null, "password"],
        "tokens": 12, "usage": {"prompt_tokens": 3}, "empty": {}, "none": [],
        "clean": [1, "token"], "precise": "@"
    });
    let precise = meta.to_string().replace(r#""@""#, "12345678901234567890.10");
    stage
        .app
        .execute(
            "INSERT INTO accounts VALUES (1, 9007199254740993, 1.50, $1::text::jsonb, $1::text::json, ROW('ann', 'p', '{1.10}'), ARRAY[ROW('ben', 'q', NULL)::login], ARRAY[$1::text::jsonb])",
            &[&precise],
        )
        .await
        .unwrap();
    let clean = json!({
        "headers": {"accept": "*/*"},
        "items": [{"sku": "a"}, [{"n": [1, {}]}], 7, null, "password"],
        "tokens": 12, "usage": {"prompt_tokens": 3}, "empty": {}, "none": [],
        "clean": [1, "token"], "precise": serde_json::from_str::<Value>("12345678901234567890.10").unwrap()
    });
    let data = stage.only_data().await;
    assert_eq!(data["meta"], clean);
    assert_eq!(data["raw"], clean);
    assert_eq!(data["list"], json!([clean]));
    assert_eq!(data["login"], json!({"name": "ann", "numbers": [1.10]}));
    assert_eq!(data["logins"], json!([{"name": "ben", "numbers": null}]));
    assert_eq!(
        (&data["big"], &data["exact"]),
        (&json!("9007199254740993"), &json!("1.50")),
        "numbers of columns stay exact"
    );
    let text = "SELECT data::text FROM rowcast.outbox";
    let text: String = stage.superuser.query_one(text, &[]).await.unwrap().get(0);
    assert!(text.contains("12345678901234567890.10"), "to the digit: {text}");

    // The other ways to write a row go through other statements.
    stage.write("UPDATE accounts SET big = 1; INSERT INTO accounts (id, meta) VALUES (2, '{\"a\": {\"token\": 1}}'), (3, '{}'); DELETE FROM accounts").await;
    let (mut told, mut leaked) = (0, Vec::<&str>::new());
    for data in stage.data().await {
        told += 1;
        leaked.extend(["Bearer", "\"token\":", "\"password\":"].iter().filter(|word| data.to_string().contains(*word)));
    }
    assert_eq!((told, leaked), (6, Vec::<&str>::new()));
}

#[tokio::test]
async fn expressions_and_emitted_events_are_somebodys_own_words() {
    let stage = Stage::new(ACCOUNTS).await;
    stage.attach("'public.accounts', 'user_activity', data => 'r.meta'").await;
    let meta = r#"{"a": {"token": 1}}"#;
    assert_eq!(sent(&stage, meta).await, json!({"a": {"token": 1}}));
    stage.own("SELECT rowcast.emit('user_activity', NULL, '{\"a\": {\"token\": 1}}')").await;
    assert_eq!(stage.only_data().await, json!({"a": {"token": 1}}));
}

#[tokio::test]
async fn no_depth_fails_a_write_or_lets_a_key_through() {
    let stage = accounts().await;
    let nested =
        |depth: usize, inside: &str| format!("{}{inside}{}", r#"{"a":["#.repeat(depth / 2), "]}".repeat(depth / 2));
    // Nothing that sounds secret: as deep as Postgres takes it.
    let deep = nested(5_000, r#"{"b":1}"#);
    stage.app.execute("INSERT INTO accounts (id, meta) VALUES (1, $1::text::jsonb)", &[&deep]).await.unwrap();
    let text: String = stage.superuser.query_one("SELECT data::text FROM rowcast.outbox", &[]).await.unwrap().get(0);
    assert!(text.contains(r#""b": 1"#), "{text}");
    stage.seen.set(1);

    let data = sent(&stage, &nested(40, r#"{"b":1,"token":2}"#)).await.to_string();
    assert!(data.contains(r#"{"b":1}"#) && !data.contains("token"), "{data}");
    for depth in [200, 5_000] {
        let id = stage.app.query_one("SELECT max(id) + 1 FROM accounts", &[]).await.unwrap().get::<_, i32>(0);
        let data = sent(&stage, &nested(depth, r#"{"b":1,"token":2}"#)).await;
        assert_eq!(data, json!({"truncated": true, "id": id}), "{depth} levels");
    }
    // Wide is not deep, and a value is no key.
    let wide = json!({"list": (0..300).map(|n| json!({"n": n, "secret": n})).collect::<Vec<_>>()});
    assert_eq!(sent(&stage, &wide.to_string()).await["meta"]["list"][299], json!({"n": 299}));
}

#[tokio::test]
async fn a_change_of_the_list_counts_at_once_and_what_is_no_pattern_is_refused() {
    let stage = accounts().await;
    let admin = stage.db.connect().await;
    let meta = r#"{"a": {"flavour": 1, "token": 2, "über": 3}}"#;
    assert_eq!(sent(&stage, meta).await["meta"], json!({"a": {"flavour": 1, "über": 3}}));
    admin.batch_execute("INSERT INTO rowcast.secret_patterns VALUES ('^flavou?r$')").await.unwrap();
    assert_eq!(sent(&stage, meta).await["meta"], json!({"a": {"über": 3}}));
    // One that is not of the plain kind.
    admin.batch_execute("INSERT INTO rowcast.secret_patterns VALUES ('^[äöü]ber')").await.unwrap();
    assert_eq!(sent(&stage, meta).await["meta"], json!({"a": {}}));
    admin.batch_execute("DELETE FROM rowcast.secret_patterns WHERE pattern LIKE '%token%'").await.unwrap();
    assert_eq!(sent(&stage, meta).await["meta"], json!({"a": {"token": 2}}));
    let error = admin.batch_execute("INSERT INTO rowcast.secret_patterns VALUES ('(token')").await.unwrap_err();
    assert!(words(&error).contains(r#"the secret pattern "(token" is no regular expression"#), "{}", words(&error));
    admin.batch_execute("DELETE FROM rowcast.secret_patterns").await.unwrap();
    assert_eq!(sent(&stage, meta).await["meta"], serde_json::from_str::<Value>(meta).unwrap());
}

#[tokio::test]
async fn tables_without_nesting_columns_are_not_looked_through() {
    let stage = Stage::new("CREATE TABLE public.docs (id int PRIMARY KEY, title text, labels text[])").await;
    stage.attach("'public.docs', 'document_processing'").await;
    stage.write("INSERT INTO docs VALUES (1, '{\"token\": 1}', '{a}')").await;
    assert_eq!(stage.only_data().await["title"], json!(r#"{"token": 1}"#));
    // The plan of a statement as it is generated: what decides is gone from it.
    let superuser = stage.db.connect_as(Role::Superuser).await;
    let name: String = superuser
        .query_one("SELECT DISTINCT attachment FROM rowcast.attachment_triggers WHERE attachment LIKE '%docs%'", &[])
        .await
        .unwrap()
        .get(0);
    let condition: String =
        superuser.query_one("SELECT rowcast.may_hold_secrets($1, 'd')", &[&name]).await.unwrap().get(0);
    let plan = format!(
        "EXPLAIN VERBOSE SELECT CASE WHEN {condition} THEN 'looked' ELSE 'passed' END FROM jsonb_build_object(random(), 1) AS d"
    );
    let plan: String = superuser.query(&plan, &[]).await.unwrap().iter().map(|row| row.get::<_, String>(0)).collect();
    assert!(plan.contains("'passed'") && !plan.contains("looked") && !plan.contains("secret_needles"), "{plan}");
    stage.own("ALTER TABLE docs ADD COLUMN meta jsonb DEFAULT '{\"token\": 1}'").await;
    stage.write("UPDATE docs SET title = 'b'").await;
    assert_eq!(stage.only_data().await["meta"], json!({}));
}

#[tokio::test]
async fn an_installation_keeps_what_its_dba_has_changed() {
    let stage = Stage::new("").await;
    let migration = include_str!("../../../migrations/V8__secrets.sql");
    let former = "
        DELETE FROM rowcast.secret_patterns;
        INSERT INTO rowcast.secret_patterns VALUES
            ('(^|_)(tokens?|token_(hash|digest))$', 'as V1 wrote it'), ('(^|_)(salt)(_|$)', 'ours, changed'), ('^pan$', 'theirs')";
    let admin = stage.db.connect().await;
    admin.batch_execute(former).await.unwrap();
    admin.batch_execute(migration).await.unwrap();
    let kept = "SELECT array_agg(description ORDER BY description) FROM rowcast.secret_patterns WHERE description IN ('ours, changed', 'theirs', 'as V1 wrote it')";
    let kept: Vec<String> = admin.query_one(kept, &[]).await.unwrap().get(0);
    assert_eq!(kept, ["ours, changed", "theirs"]);
    let judge = "SELECT rowcast.looks_secret('token'), rowcast.looks_secret('tokens'), rowcast.looks_secret('authorization'), rowcast.looks_secret('password')";
    let judged = admin.query_one(judge, &[]).await.unwrap();
    let judged: Vec<bool> = (0..4).map(|column| judged.get(column)).collect();
    assert_eq!(judged, [true, false, true, false], "what they had taken away is not put back");
}
