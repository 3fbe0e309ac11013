//! Numbers that a JavaScript client would round come as strings.

use serde_json::json;

use super::Stage;

#[tokio::test]
async fn numerics_and_large_integers_come_as_strings() {
    let stage = Stage::new(
        "CREATE DOMAIN public.price AS numeric(10, 2);
         CREATE TABLE public.t (id bigint PRIMARY KEY, small bigint, large bigint, n numeric, p public.price, many bigint[], amounts numeric[][], f float8, i int)",
    )
    .await;
    stage.attach("'public.t', 'user_activity'").await;
    stage
        .write("INSERT INTO t VALUES (1, 9007199254740991, 9007199254740993, 1.50, 2, '{1,-9007199254740993,NULL}', '{{1,2.5},{NULL,3}}', 1.5, 7)")
        .await;
    assert_eq!(
        stage.only_data().await,
        json!({
            "id": 1, "small": 9_007_199_254_740_991_i64, "large": "9007199254740993", "n": "1.50", "p": "2.00",
            "many": [1, "-9007199254740993", null], "amounts": [["1", "2.5"], [null, "3"]], "f": 1.5, "i": 7
        })
    );
    stage.write("UPDATE t SET large = 2, n = NULL, p = NULL, many = '{}', amounts = NULL").await;
    assert_eq!(
        stage.only_data().await,
        json!({"id": 1, "small": 9_007_199_254_740_991_i64, "large": 2, "n": null, "p": null, "many": [], "amounts": null, "f": 1.5, "i": 7})
    );
}

#[tokio::test]
async fn values_that_json_has_no_number_for_come_as_strings() {
    let stage =
        Stage::new("CREATE TABLE public.t (id int PRIMARY KEY, f float8, g real, n numeric, at timestamptz, day date)")
            .await;
    stage.attach("'public.t', 'user_activity'").await;
    stage.write("INSERT INTO t VALUES (1, 'NaN', '-Infinity', 'NaN', 'infinity', '-infinity'), (2, 'Infinity', 'NaN', 'Infinity', NULL, NULL)").await;
    let data = stage.data().await;
    assert_eq!(
        data[0],
        json!({"id": 1, "f": "NaN", "g": "-Infinity", "n": "NaN", "at": "infinity", "day": "-infinity"})
    );
    assert_eq!(data[1], json!({"id": 2, "f": "Infinity", "g": "NaN", "n": "Infinity", "at": null, "day": null}));
}

#[tokio::test]
async fn a_number_column_added_later_is_exact_too() {
    let stage = Stage::new("CREATE TABLE public.t (id int PRIMARY KEY)").await;
    stage.attach("'public.t', 'user_activity'").await;
    stage.write("INSERT INTO t VALUES (1)").await;
    stage.told().await;
    stage.own(r#"ALTER TABLE t ADD COLUMN "a ""b"" $.c" numeric DEFAULT 1.10"#).await;
    stage.write("UPDATE t SET id = id; INSERT INTO t VALUES (2)").await;
    assert_eq!(stage.only_data().await, json!({"id": 2, "a \"b\" $.c": "1.10"}));
}

#[tokio::test]
async fn numbers_in_an_expression_are_the_authors() {
    let stage = Stage::new("CREATE TABLE public.t (id int PRIMARY KEY, cost numeric, body jsonb)").await;
    stage.attach("'public.t', 'chatbot_metrics', data => $$jsonb_build_object('cost', r.cost)$$").await;
    stage.attach("'public.t', 'user_activity', exclude => '{cost}'").await;
    stage.write(r#"INSERT INTO t VALUES (1, 1.5, '{"n": 9007199254740993, "cost": 1.5}')"#).await;
    let mut events = stage.events().await;
    events.sort_by(|a, b| a.kind.cmp(&b.kind));
    assert_eq!(events[0].data, json!({"cost": 1.5}));
    assert_eq!(events[1].data, json!({"id": 1, "body": {"n": 9_007_199_254_740_993_i64, "cost": 1.5}}));
}
