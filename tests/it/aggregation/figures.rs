//! What `rowcast.measured` finds is what there is: against another computation over the same messages, many times over.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use rowcast::payload::ChatbotMetrics;
use serde_json::Value;

use super::{
    App,
    oracle::{self, Figures, Key, Message, Price, UNITS_PER_DOLLAR},
};

const WINDOW: SignedDuration = SignedDuration::from_mins(10);

const KEYS: [Key; 4] = [("acme", "ann"), ("acme", "bob"), ("zeta", "ann"), ("zeta", "cyd")];

fn until() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// A moment that matters (an edge of a window, a question just young enough, or a microsecond off one of these), or any.
fn moment(random: &mut Rng) -> Timestamp {
    let edges = [0, 600, 1_200, 4_200, 4_800].map(SignedDuration::from_secs);
    let before = if random.u8(..4) == 0 {
        random.choice(edges).unwrap() + SignedDuration::from_micros(random.i64(-1..=1))
    } else {
        SignedDuration::from_millis(random.i64(-60_000..5_000_000))
    };
    until() - before
}

/// One in so many is left out.
fn mostly<T>(random: &mut Rng, value: T) -> Option<T> {
    (random.u8(..40) > 0).then_some(value)
}

fn sometimes<T>(random: &mut Rng, value: T) -> Option<T> {
    random.bool().then_some(value)
}

fn message(random: &mut Rng) -> Message {
    let (organization, chatbot) = random.choice(KEYS).unwrap();
    let role = random.choice(["user", "user", "user", "bot", "bot", "bot", "system", "assistant"]).unwrap();
    let (session, at, took) = (random.i32(1..=5), moment(random), f64::from(random.u32(..9_000)));
    let (input, output, stars) = (random.i32(0..3_000), random.i32(0..500), random.i32(1..=5));
    let model = random.choice(["small", "large", "secret"]).unwrap();
    let failed = random.u8(..5) == 0;
    Message {
        chatbot: mostly(random, chatbot),
        organization: mostly(random, organization),
        session: mostly(random, session),
        role: mostly(random, role),
        at,
        response_time_ms: sometimes(random, took),
        failed: sometimes(random, failed),
        input_tokens: sometimes(random, input),
        output_tokens: sometimes(random, output),
        model: mostly(random, model),
        satisfaction: sometimes(random, stars),
    }
}

/// What a model costs changes at some moment, too.
fn prices(random: &mut Rng) -> Vec<Price> {
    let from = |random: &mut Rng| moment(random);
    let mut prices = Vec::new();
    for model in ["small", "large"] {
        let mut starts = BTreeSet::from([from(random), from(random)]);
        if random.bool() {
            starts.insert(until() - SignedDuration::from_hours(1_000));
        }
        for from in starts {
            prices.push(Price { model, from, input: random.i64(0..1_000), output: random.i64(0..9_000) });
        }
    }
    prices
}

/// What rowcast finds, and the trends beside it.
async fn measured(app: &App) -> BTreeMap<(String, String), (Figures, Value)> {
    let measure = format!(
        "SELECT organization_id, chatbot_id, messages, active_conversations, response_time_ms::float8 AS p50, response_time_p95_ms::float8 AS p95,
                success_rate::float8 AS success_rate, input_tokens::bigint AS input_tokens, output_tokens::bigint AS output_tokens,
                unpriced_tokens::bigint AS unpriced_tokens, unpriced_models, trim_scale(cost * 100000000)::text AS cost, satisfaction::float8 AS satisfaction,
                trends::text AS trends
         FROM rowcast.measured('10 min', '{}')",
        until()
    );
    let rows = app.server.query(&measure, &[]).await.unwrap();
    let figures = |row: &tokio_postgres::Row| Figures {
        messages: row.get("messages"),
        active_conversations: row.get("active_conversations"),
        p50: row.get("p50"),
        p95: row.get("p95"),
        success_rate: row.get("success_rate"),
        input_tokens: row.get("input_tokens"),
        output_tokens: row.get("output_tokens"),
        unpriced_tokens: row.get("unpriced_tokens"),
        unpriced_models: row.get::<_, Vec<String>>("unpriced_models").into_iter().collect(),
        // Whole, or this fails: not a hundred millionth of a dollar was rounded away.
        cost: row.get::<_, &str>("cost").parse().unwrap(),
        satisfaction: row.get("satisfaction"),
    };
    let found = rows.iter().map(|row| {
        let trends = serde_json::from_str(row.get("trends")).unwrap();
        ((row.get("organization_id"), row.get("chatbot_id")), (figures(row), trends))
    });
    let count = rows.len();
    let found: BTreeMap<_, _> = found.collect();
    assert_eq!(found.len(), count, "a chatbot has two rows");
    found
}

/// Rounded to as many places as what is stored.
fn near(a: Option<f64>, b: Option<f64>, by: f64) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= by,
        (None, None) => true,
        _ => false,
    }
}

#[track_caller]
fn agree(found: &Figures, expected: &Figures, context: &str) {
    let agree = near(found.p50, expected.p50, 0.001)
        && near(found.p95, expected.p95, 0.001)
        && near(found.success_rate, expected.success_rate, 1e-6)
        && near(found.satisfaction, expected.satisfaction, 0.001);
    assert!(agree, "{context}: {found:?}, not {expected:?}");
    let exact =
        |figures: &Figures| Figures { p50: None, p95: None, success_rate: None, satisfaction: None, ..figures.clone() };
    assert_eq!(exact(found), exact(expected), "{context}");
}

fn trend(now: Option<f64>, before: Option<f64>) -> [Option<f64>; 3] {
    let change = now.zip(before).filter(|(_, before)| *before != 0.0).map(|(now, before)| (now - before) / before);
    [now, before, change]
}

#[expect(clippy::cast_precision_loss, reason = "what is counted here is small")]
#[track_caller]
fn trends_agree(found: &Value, now: &Figures, before: &Figures, context: &str) {
    let number = |of: fn(&Figures) -> i64| trend(Some(of(now) as f64), Some(of(before) as f64));
    let maybe = |of: fn(&Figures) -> Option<f64>| trend(of(now), of(before));
    let expected = [
        ("messages", number(|figures| figures.messages)),
        ("activeConversations", number(|figures| figures.active_conversations)),
        ("responseTime", maybe(|figures| figures.p50)),
        ("responseTimeP95", maybe(|figures| figures.p95)),
        ("successRate", maybe(|figures| figures.success_rate)),
        ("tokenUsage", number(|figures| figures.input_tokens + figures.output_tokens)),
        ("cost", maybe(|figures| Some(figures.cost as f64 / UNITS_PER_DOLLAR))),
        ("userSatisfaction", maybe(|figures| figures.satisfaction)),
    ];
    let known = expected.iter().filter(|(_, trend)| trend.iter().any(Option::is_some)).map(|(name, _)| *name);
    let names: BTreeSet<_> = found.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, known.collect::<BTreeSet<_>>(), "{context}");
    for (name, [now, before, change]) in expected {
        let Some(found) = found.get(name) else { continue };
        let has = |key: &str| found.get(key).map(|value| value.as_f64().unwrap());
        // The share is of figures that have been rounded: of a millisecond's thousandths, where it took next to no time.
        let rounding = 0.0011
            + before.map_or(0.0, |before| 0.003 / before.abs().max(1e-9))
                * change.map_or(0.0, |change| 1.0 + change.abs());
        let agree = near(has("now"), now, 0.0011)
            && near(has("before"), before, 0.0011)
            && near(has("change"), change, rounding);
        assert!(agree, "{context}: {name} is {found}, not {now:?} after {before:?}: {change:?}");
    }
}

#[tokio::test]
async fn figures_are_what_another_computation_makes_of_the_same_messages() {
    let app = App::new().await;
    let fresh = fastrand::u64(..);
    println!("the fresh seed is {fresh}");
    let mut chatbots = 0;
    for seed in (0..12).chain([fresh]) {
        let mut random = Rng::with_seed(seed);
        let messages: Vec<_> = (0..random.usize(1..600)).map(|_| message(&mut random)).collect();
        let prices = prices(&mut random);
        app.writer.batch_execute("TRUNCATE public.utterances").await.unwrap();
        app.dba.batch_execute("TRUNCATE rowcast.model_prices").await.unwrap();
        app.write(&messages).await;
        for Price { model, from, input, output } in &prices {
            app.price(model, &format!("{input} * 0.01"), &format!("{output} * 0.01"), &from.to_string()).await;
        }

        let found = measured(&app).await;
        let now = oracle::figures(&messages, &prices, until() - WINDOW, until());
        let before = oracle::figures(&messages, &prices, until() - WINDOW - WINDOW, until() - WINDOW);
        let keys: BTreeSet<_> = now.keys().chain(before.keys()).copied().collect();
        let names = |key: &Key| (key.0.to_owned(), key.1.to_owned());
        assert_eq!(
            found.keys().cloned().collect::<Vec<_>>(),
            keys.iter().map(names).collect::<Vec<_>>(),
            "seed {seed}"
        );
        for key in keys {
            let context = format!("seed {seed}, {key:?}");
            let (figures, trends) = &found[&names(&key)];
            let now = now.get(&key).cloned().unwrap_or_default();
            agree(figures, &now, &context);
            trends_agree(trends, &now, &before.get(&key).cloned().unwrap_or_default(), &context);
            chatbots += 1;
        }
        let since = until() - WINDOW;
        let left_out = messages.iter().filter(|m| m.at >= since && m.at < until() && !m.is_countable()).count();
        let counted = format!("SELECT rowcast.uncountable_messages('{since}', '{}')", until());
        assert_eq!(app.number(&counted).await, i64::try_from(left_out).unwrap(), "seed {seed}");
    }
    assert!(chatbots > 30, "hardly anything was compared");
}

/// A message at `at`, seconds before the end of the window.
fn at(seconds: i64, role: &'static str) -> Message {
    Message {
        chatbot: Some("ann"),
        organization: Some("acme"),
        session: Some(1),
        role: Some(role),
        at: until() - SignedDuration::from_secs(seconds),
        response_time_ms: None,
        failed: None,
        input_tokens: None,
        output_tokens: None,
        model: None,
        satisfaction: None,
    }
}

#[tokio::test]
async fn a_window_has_its_beginning_and_not_its_end() {
    let app = App::new().await;
    app.write(&[at(0, "user"), at(600, "user"), at(1_200, "user"), at(1_201, "user")]).await;
    let (figures, trends) = &measured(&app).await[&("acme".into(), "ann".into())];
    assert_eq!((figures.messages, &trends["messages"]["before"]), (1, &1.into()));
}

#[tokio::test]
async fn an_answer_is_timed_from_the_question_before_it_in_its_session() {
    let app = App::new().await;
    let elsewhere = Message { session: Some(2), ..at(51, "user") };
    // The question was asked before the window began; the second part of the answer has been waited for since then, too.
    app.write(&[at(604, "user"), at(600, "bot"), at(594, "bot"), elsewhere, at(50, "system")]).await;
    let (figures, _) = &measured(&app).await[&("acme".into(), "ann".into())];
    assert_eq!((figures.p50, figures.p95), (Some(7_000.0), Some(9_700.0)));

    // What was asked more than an hour ago is not what is answered now, and what failed is no answer.
    app.writer.batch_execute("TRUNCATE public.utterances").await.unwrap();
    app.write(&[
        at(3_700, "user"),
        at(99, "bot"),
        Message { failed: Some(true), response_time_ms: Some(1.0), ..at(5, "bot") },
    ])
    .await;
    let (figures, _) = &measured(&app).await[&("acme".into(), "ann".into())];
    assert_eq!((figures.p50, figures.success_rate), (None, Some(0.5)));
}

#[tokio::test]
async fn numbers_that_are_none_spoil_nothing() {
    let app = App::new().await;
    let none = format!(
        "INSERT INTO public.utterances SELECT 'ann', 'acme', 1, 'bot', timestamptz '{}', took, false, prompt, completion, 'm'
         FROM (VALUES ('NaN'::float8, -5, -5), ('Infinity', 7, 0), (-1, 0, NULL), (40, 0, 0)) v (took, prompt, completion)",
        at(9, "bot").at
    );
    app.writer.batch_execute(&none).await.unwrap();
    app.price("m", "1000000", "1000000", "-infinity").await;
    let (figures, _) = &measured(&app).await[&("acme".into(), "ann".into())];
    let found = (figures.p50, figures.p95, figures.input_tokens, figures.cost);
    assert_eq!(found, (Some(40.0), Some(40.0), 7, 700_000_000));
}

#[tokio::test]
async fn a_window_without_length_is_refused() {
    let app = App::new().await;
    for wrong in ["measure('0')", "measured('-1 h')", "measured('1 h', 'infinity')"] {
        let error = app.server.batch_execute(&format!("SELECT rowcast.{wrong}")).await.unwrap_err();
        assert!(super::words(&error).contains("has nothing in it"), "{wrong}: {error:?}");
    }
}

/// What people look at does not stay at what it was when the last message came.
#[tokio::test]
async fn a_chatbot_that_has_fallen_silent_ends_at_zero() {
    let app = App::new().await;
    app.say("acme", "ann", "bot").await;
    let measure = "SELECT outcome || ' ' || chatbots FROM rowcast.measure('1 hour')";
    assert_eq!(app.texts(measure).await, ["measured 1"]);
    let age = |interval: &str| format!("UPDATE public.utterances SET said_at = said_at - interval '{interval}'");
    // No run has seen it in the window before.
    app.writer.batch_execute(&age("5 hours")).await.unwrap();
    assert_eq!(app.texts(measure).await, ["measured 1"]);
    for _ in 0..2 {
        assert_eq!(app.texts(measure).await, ["measured 0"], "it has been said");
    }
    let told =
        app.texts("SELECT data::text FROM rowcast.outbox WHERE event_type = 'chatbot_metrics' ORDER BY id").await;
    let told: Vec<ChatbotMetrics> = told.iter().map(|data| serde_json::from_str(data).unwrap()).collect();
    let figures: Vec<_> =
        told.iter().map(|told| (told.active_conversations, told.response_time, told.success_rate)).collect();
    assert_eq!(figures, [(1.0, 250.0, 1.0), (0.0, 0.0, 1.0)]);
}

/// Old messages are not even looked at.
#[tokio::test]
async fn only_the_windows_are_read() {
    let app = App::new().await;
    let old = "INSERT INTO public.utterances (bot, tenant, dialogue, speaker, said_at)
               SELECT 'ann', 'acme', n, 'user', now() - interval '9 days' - n * interval '1 s' FROM generate_series(1, 50000) n";
    app.writer.batch_execute(old).await.unwrap();
    app.writer.batch_execute("ANALYZE public.utterances").await.unwrap();
    app.say("acme", "ann", "user").await;
    app.dba.batch_execute("BEGIN; SELECT rowcast.measure()").await.unwrap();
    let read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'utterances'";
    assert!((1..100).contains(&app.number(read).await), "more was read than there is in the windows");
    app.dba.batch_execute("ROLLBACK").await.unwrap();
}
