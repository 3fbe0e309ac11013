//! The example app, with the query of the document and the requests of a real trace: the figures are what plain SQL over the app's own tables makes of them.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use crate::harness::{Database, Role};
use crate::integrations_document::sql_with;

const TRACE: &str = include_str!("../../../src/demo/trace/conversations.csv");

/// Every request of the trace: a question with the tokens of its context, and an answer as long after it as it takes. Some are timed by the app, some fail, some are still being written.
const PLAY: &str = "
    CREATE TEMPORARY TABLE request (n bigint GENERATED ALWAYS AS IDENTITY, at timestamp, context integer, generated integer);
    COPY_HERE
    INSERT INTO chatbot.conversation_sessions (chatbot_id, channel, satisfaction)
    SELECT (array_agg(c.id ORDER BY c.id))[1 + n % 5], 'api', nullif(n % 6, 0)
    FROM generate_series(1, 60) n, chatbot.chatbot_instances c GROUP BY n;
    CREATE TEMPORARY TABLE played AS
    SELECT r.*, (SELECT array_agg(id ORDER BY id) FROM chatbot.conversation_sessions)[1 + r.n % 60] AS session_id,
           at AT TIME ZONE 'UTC' AS asked_at, 500 + 12 * generated AS takes
    FROM request r;
    INSERT INTO chatbot.messages (session_id, role, content, tokens, created_at)
    SELECT session_id, 'user', 'x', context, asked_at FROM played;
    INSERT INTO chatbot.messages (session_id, role, content, tokens, created_at, response_time_ms, status, error_message)
    SELECT session_id, 'bot', 'x', generated, asked_at + takes * interval '1 ms', CASE n % 3 WHEN 0 THEN takes END,
           CASE WHEN n % 40 = 0 THEN 'failed' WHEN n % 41 = 0 THEN 'generating' ELSE 'completed' END, CASE WHEN n % 40 = 0 THEN 'x' END
    FROM played";

/// One chatbot's window, from the app's tables, without any aggregate for percentiles: the two answers in the middle, and between them.
const PLAIN: &str = "
    WITH message AS (
        SELECT m.*, s.chatbot_id, s.satisfaction, c.organization_id, c.model
        FROM chatbot.messages m, chatbot.conversation_sessions s, chatbot.chatbot_instances c
        WHERE m.session_id = s.id AND s.chatbot_id = c.id AND m.status <> 'generating'
          AND m.created_at >= $1::text::timestamptz AND m.created_at < $2::text::timestamptz
    ), answer AS (
        SELECT a.chatbot_id, coalesce(a.response_time_ms, (
                   SELECT extract(epoch FROM a.created_at - q.created_at) * 1000 FROM chatbot.messages q
                   WHERE q.session_id = a.session_id AND q.role = 'user' AND q.created_at <= a.created_at ORDER BY q.created_at DESC LIMIT 1)) AS took
        FROM message a WHERE a.role = 'bot' AND a.status = 'completed'
    ), ranked AS (
        SELECT chatbot_id, took, row_number() OVER (PARTITION BY chatbot_id ORDER BY took) - 1 AS rank, count(*) OVER (PARTITION BY chatbot_id) - 1 AS last FROM answer
    ), between_two AS (
        SELECT chatbot_id, share, max(took) FILTER (WHERE rank = floor(share * last)) AS below, max(took) FILTER (WHERE rank = ceil(share * last)) AS above,
               max(share * last - floor(share * last)) AS part
        FROM ranked, unnest('{0.5,0.95}'::numeric[]) share GROUP BY 1, 2
    )
    SELECT m.chatbot_id, concat_ws(' ', m.organization_id, count(*), count(DISTINCT m.session_id),
        (SELECT string_agg(round(below + (above - below) * part, 2)::text, ' ' ORDER BY share) FROM between_two b WHERE b.chatbot_id = m.chatbot_id),
        round(1 - count(*) FILTER (WHERE status = 'failed')::numeric / count(*) FILTER (WHERE role = 'bot'), 4),
        sum(tokens) FILTER (WHERE role = 'user'), sum(tokens) FILTER (WHERE role = 'bot'),
        trim_scale(sum(tokens * CASE WHEN m.model = 'claude-haiku' THEN CASE role WHEN 'user' THEN 1 ELSE 5 END
                          WHEN role = 'user' THEN 3 ELSE 15 END)::numeric / 1000000),
        (SELECT round(avg(s.satisfaction), 2) FROM chatbot.conversation_sessions s WHERE s.id IN (SELECT o.session_id FROM message o WHERE o.chatbot_id = m.chatbot_id)))
    FROM message m GROUP BY m.chatbot_id, m.organization_id";

const MEASURED: &str = "
    SELECT chatbot_id, concat_ws(' ', organization_id, messages, active_conversations, round(response_time_ms, 2), round(response_time_p95_ms, 2),
        round(success_rate, 4), input_tokens, output_tokens, cost, round(satisfaction, 2))
    FROM rowcast.measured($2::text::timestamptz - $1::text::timestamptz, $2::text::timestamptz)";

async fn by_chatbot(client: &Client, query: &str, since: &str, until: &str) -> BTreeMap<String, String> {
    let rows = client.query(query, &[&since, &until]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_real_trace_is_measured_as_plain_sql_does() {
    let db = Database::new().await;
    let mut dba = db.connect().await;
    rowcast::demo::install(&mut dba).await.unwrap();
    dba.batch_execute("DELETE FROM rowcast.model_prices").await.unwrap();
    let requests = TRACE.lines().skip(1).map(|line| {
        let fields: Vec<_> = line.split(',').collect();
        format!("('{}', {}, {})", fields[0], fields[1], fields[2])
    });
    let requests: Vec<_> = requests.collect();
    let copy = format!("INSERT INTO request (at, context, generated) VALUES {};", requests.join(", "));
    dba.batch_execute(&PLAY.replace("COPY_HERE", &copy)).await.unwrap();
    for step in ["rowcast.use_messages", "INSERT INTO rowcast.model_prices"] {
        dba.batch_execute(&sql_with(step)).await.unwrap();
    }

    let server = db.connect_as(Role::Server).await;
    let mut compared = 0;
    for (since, until) in [
        ("2023-11-16 18:15:46.680590Z", "2023-11-16 18:30:00Z"),
        ("2023-11-16 18:17:00Z", "2023-11-16 18:18:00Z"),
        ("2023-11-16 18:20:00Z", "2023-11-16 18:20:10Z"),
    ] {
        let expected = by_chatbot(&dba, PLAIN, since, until).await;
        let found = by_chatbot(&server, MEASURED, since, until).await;
        // A chatbot that only spoke in the window before has a row, too.
        let found: BTreeMap<_, _> = found.into_iter().filter(|(chatbot, _)| expected.contains_key(chatbot)).collect();
        assert_eq!(found, expected, "{since} to {until}");
        compared += expected.len();
    }
    assert!(compared >= 12, "hardly any chatbot was compared");

    let all = "SELECT sum(input_tokens + output_tokens)::bigint FROM rowcast.daily_costs";
    server.batch_execute("SELECT rowcast.count_costs('2023-11-16')").await.unwrap();
    let tokens = "SELECT sum(tokens) FROM chatbot.messages WHERE status <> 'generating'";
    let [all, tokens]: [i64; 2] =
        [dba.query_one(all, &[]).await.unwrap().get(0), dba.query_one(tokens, &[]).await.unwrap().get(0)];
    assert_eq!(all, tokens);
}
