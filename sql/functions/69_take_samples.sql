-- Events → samples. The outbox is the queue: which ids have been read is a set, rowcast.alerting.unread, and what may be read is what servers have decided,
-- rowcast.settled. An id that is decided is visible, or will never be; so each row is read once, a late committer when it has come, and
-- nobody waits for it.

-- A figure in the data of an event, by its key or its path; null where there is none. Whole rows have exact numbers as texts.
CREATE OR REPLACE FUNCTION rowcast.metric_value(data jsonb, metric text) RETURNS numeric
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN abs(n.value) < 1e300 THEN n.value END
    FROM (SELECT coalesce(data -> metric, data #> string_to_array(metric, '.')) AS found) AS f
    CROSS JOIN LATERAL (
        SELECT CASE WHEN jsonb_typeof(f.found) = 'number' OR jsonb_typeof(f.found) = 'string' AND f.found #>> '{}' ~ '^-?[0-9]{1,100}(\.[0-9]{1,100})?$'
                    THEN (f.found #>> '{}')::numeric END AS value) AS n;
END;

-- The id that ends the first `size` rows, or the first `events` with figures; null when there are fewer of both.
CREATE OR REPLACE FUNCTION rowcast.end_of_piece(ids int8multirange, size integer, events integer) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
-- As in current_cursor(): the planner knows nothing of what is in a multirange.
SET enable_seqscan = off
BEGIN ATOMIC
    SELECT min(counted.id)
    FROM (SELECT o.id, count(*) OVER (ORDER BY o.id) AS nth, count(*) FILTER (WHERE o.event_type = 'chatbot_metrics') OVER (ORDER BY o.id) AS nth_event
          FROM unnest(ids) AS range
          CROSS JOIN LATERAL (SELECT o.id, o.event_type FROM rowcast.outbox o WHERE o.id >= lower(range) AND o.id < upper(range) ORDER BY o.id LIMIT size) AS o) AS counted
    WHERE counted.nth = size OR counted.nth_event = events;
END;

-- Stores what rules want of these events. Returns which series that concerns, and from when on.
CREATE OR REPLACE FUNCTION rowcast.take_samples(rules rowcast.alert_rules[], ids int8multirange, now timestamptz)
RETURNS TABLE (rule_id bigint, organization_id text, chatbot_id text, first_at timestamptz)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
BEGIN ATOMIC
    WITH metrics AS MATERIALIZED (
        -- A clock that was ahead, before a failover perhaps, must not make all that follows late.
        SELECT o.id, least(o.created_at, now) AS sampled_at, o.organization_id, coalesce(o.chatbot_id, '') AS chatbot_id, o.data
        FROM unnest(ids) AS range
        CROSS JOIN LATERAL (
            SELECT * FROM rowcast.outbox o
            WHERE o.id >= lower(range) AND o.id < upper(range)
              AND o.event_type = 'chatbot_metrics' AND o.audience = 'organization' AND o.operation IN ('INSERT', 'UPDATE', 'EMIT')
              AND rowcast.is_series(o.organization_id, coalesce(o.chatbot_id, ''))
        ) AS o
    ), taken AS (
        INSERT INTO rowcast.metric_samples AS s (rule_id, organization_id, chatbot_id, sampled_at, event_id, value)
        SELECT r.id, m.organization_id, m.chatbot_id, m.sampled_at, m.id, v.value
        FROM metrics m
        JOIN unnest(rules) AS r ON r.budget IS NULL
                               AND (r.organization_id IS NULL OR r.organization_id = m.organization_id)
                               AND (r.chatbot_id IS NULL OR r.chatbot_id = m.chatbot_id)
        CROSS JOIN LATERAL rowcast.metric_value(m.data, r.metric) AS v (value)
        WHERE v.value IS NOT NULL
        ON CONFLICT DO NOTHING
        RETURNING s.rule_id, s.organization_id, s.chatbot_id, s.sampled_at
    )
    SELECT t.rule_id, t.organization_id, t.chatbot_id, min(t.sampled_at) FROM taken t GROUP BY 1, 2, 3;
END;
