-- What a figure does, as a piece of `trends`: what it is, what it was in the window before, and by which share of that it has changed. What is not known is absent; null: nothing is.
CREATE OR REPLACE FUNCTION rowcast.trend(now numeric, before numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT nullif(jsonb_strip_nulls(jsonb_build_object(
        'now', trim_scale(now), 'before', trim_scale(before), 'change', trim_scale(round((now - before) / nullif(before, 0), 4)))), '{}');
END;

-- The figures of every chatbot from `until - length` to just before `until`, as rowcast.measure() would write them, without an id; beside those of the window before. One
-- statement, so one snapshot.
--
-- A chatbot has figures as long as it has a message in one of the two windows, or in the last row that was written of it: so that what people look at
-- falls to zero, and does not stay for ever at what it was when the last message came.
CREATE OR REPLACE FUNCTION rowcast.measured(length interval, until timestamptz DEFAULT clock_timestamp()) RETURNS SETOF rowcast.chatbot_metrics
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    -- A question this old has not been waiting for the answer. It is also what is read beyond the windows.
    longest_wait CONSTANT interval := '1 hour';
    since        CONSTANT timestamptz := until - length;
BEGIN
    IF length <= interval '0' OR NOT isfinite(until) THEN
        RAISE EXCEPTION 'a window of % until % has nothing in it', length, until
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a length of time above zero, such as ''1 hour''.';
    END IF;
    RETURN QUERY
    WITH message AS (
        SELECT m.*, m.created_at >= since AS is_current,
               m.created_at - max(m.created_at) FILTER (WHERE m.role = 'user')
                   OVER (PARTITION BY m.organization_id, m.chatbot_id, m.session_id ORDER BY m.created_at) AS waited
        FROM rowcast.priced_messages(since - length - longest_wait, until) m
    ), counted AS (
        SELECT m.*, m.role = 'bot' AND NOT m.failed AS is_answer,
               coalesce(m.response_time_ms, CASE WHEN m.waited <= longest_wait THEN 1000 * extract(epoch FROM m.waited) END) AS answered_in
        FROM message m
        WHERE m.created_at >= since - length
    ), satisfied AS (
        -- Whoever rates each message has no more to say than who rates the whole.
        SELECT organization_id, chatbot_id, is_current, avg(of_session) AS satisfaction
        FROM (SELECT organization_id, chatbot_id, session_id, is_current, avg(satisfaction) AS of_session FROM counted GROUP BY 1, 2, 3, 4) s
        GROUP BY 1, 2, 3
    ), figures AS (
        SELECT organization_id, chatbot_id, is_current,
               count(*) AS messages,
               count(DISTINCT session_id) AS active_conversations,
               percentile_cont('{0.5,0.95}'::float8[]) WITHIN GROUP (ORDER BY answered_in::float8) FILTER (WHERE is_answer) AS answered_in,
               count(*) FILTER (WHERE is_answer)::numeric / nullif(count(*) FILTER (WHERE role = 'bot'), 0) AS success_rate,
               coalesce(sum(input_tokens), 0) AS input_tokens,
               coalesce(sum(output_tokens), 0) AS output_tokens,
               coalesce(sum(unpriced_tokens), 0) AS unpriced_tokens,
               array_agg(DISTINCT left(coalesce(model, '(none)'), 200)) FILTER (WHERE unpriced_tokens > 0) AS unpriced_models,
               trim_scale(sum(cost)) AS cost
        FROM counted
        GROUP BY 1, 2, 3
    ), rounded AS (
        SELECT f.*, round(f.answered_in[1]::numeric, 3) AS p50, round(f.answered_in[2]::numeric, 3) AS p95, round(f.success_rate, 6) AS success,
               round(s.satisfaction, 3) AS satisfaction
        FROM figures f JOIN satisfied s USING (organization_id, chatbot_id, is_current)
    ), last_written AS (
        SELECT organization_id, chatbot_id FROM rowcast.chatbot_metrics
        WHERE measured_at = (SELECT max(measured_at) FROM rowcast.chatbot_metrics) AND messages > 0
    )
    SELECT NULL::bigint, until, length, organization_id, chatbot_id,
           coalesce(now.messages, 0), coalesce(now.active_conversations, 0), now.p50, now.p95, now.success,
           coalesce(now.input_tokens, 0), coalesce(now.output_tokens, 0), coalesce(now.unpriced_tokens, 0),
           coalesce(now.unpriced_models[:10], '{}'), coalesce(now.cost, 0), now.satisfaction,
           jsonb_strip_nulls(jsonb_build_object(
               'messages', rowcast.trend(coalesce(now.messages, 0), coalesce(before.messages, 0)),
               'activeConversations', rowcast.trend(coalesce(now.active_conversations, 0), coalesce(before.active_conversations, 0)),
               'responseTime', rowcast.trend(now.p50, before.p50),
               'responseTimeP95', rowcast.trend(now.p95, before.p95),
               'successRate', rowcast.trend(now.success, before.success),
               'tokenUsage', rowcast.trend(coalesce(now.input_tokens + now.output_tokens, 0), coalesce(before.input_tokens + before.output_tokens, 0)),
               'cost', rowcast.trend(coalesce(now.cost, 0), coalesce(before.cost, 0)),
               'userSatisfaction', rowcast.trend(now.satisfaction, before.satisfaction)))
    FROM (SELECT * FROM rounded WHERE is_current) now
    FULL JOIN (SELECT * FROM rounded WHERE NOT is_current) before USING (organization_id, chatbot_id)
    FULL JOIN last_written USING (organization_id, chatbot_id)
    ORDER BY organization_id, chatbot_id;
END
$$;
