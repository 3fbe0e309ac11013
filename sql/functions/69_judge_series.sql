-- Judges what is new of one series (a rule, an organization, a chatbot), in the order of its times. docs/integrations.md says what a rule means; this is where it is done.

CREATE OR REPLACE FUNCTION rowcast.is_beyond(value numeric, comparison text, threshold numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE comparison WHEN '>' THEN value > threshold WHEN '>=' THEN value >= threshold WHEN '<' THEN value < threshold ELSE value <= threshold END;

-- A sample that comes after a later one has been judged is in the averages from then on, and changes nothing that was judged.
CREATE OR REPLACE FUNCTION rowcast.judge_series(rule rowcast.alert_rules, organization text, chatbot text, first_at timestamptz, now timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    span    CONSTANT interval := coalesce(rule."window", interval '0');
    subject CONSTANT text     := coalesce(nullif(chatbot, ''), organization);
    state   rowcast.alert_states;
    firing  rowcast.alerts;
    sample  record;
BEGIN
    SELECT s.* INTO state FROM rowcast.alert_states s WHERE s.rule_id = rule.id AND s.organization_id = organization AND s.chatbot_id = chatbot;
    SELECT a.* INTO firing FROM rowcast.alerts a
    WHERE a.rule_id = rule.id AND a.organization_id = organization AND coalesce(a.chatbot_id, '') = chatbot AND a.resolved_at IS NULL;
    -- The clock has been set back: what was judged last would be later than all that comes.
    IF state.sampled_at > now THEN
        DELETE FROM rowcast.metric_samples s
        WHERE s.rule_id = rule.id AND s.organization_id = organization AND s.chatbot_id = chatbot AND s.sampled_at > now;
        state.sampled_at := first_at;
        state.event_id := 0;
        state.beyond_since := least(state.beyond_since, first_at);
        state.well_since := least(state.well_since, first_at);
    END IF;
    FOR sample IN
        SELECT s.sampled_at, s.event_id, s.value
        FROM (SELECT s.sampled_at, s.event_id,
                     CASE WHEN rule."window" IS NULL THEN s.value
                          ELSE avg(s.value) OVER (ORDER BY s.sampled_at RANGE BETWEEN span PRECEDING AND CURRENT ROW) END AS value
              FROM rowcast.metric_samples s
              WHERE s.rule_id = rule.id AND s.organization_id = organization AND s.chatbot_id = chatbot
                AND s.sampled_at >= greatest(first_at, state.sampled_at) - span) AS s
        WHERE state.sampled_at IS NULL OR (s.sampled_at, s.event_id) > (state.sampled_at, state.event_id)
        ORDER BY s.sampled_at, s.event_id
    LOOP
        IF sample.sampled_at - state.sampled_at > rule.stale_after THEN
            IF firing.id IS NOT NULL THEN
                PERFORM rowcast.resolve_stale(firing, rule, state.sampled_at, state.value);
                firing := NULL;
            END IF;
            state.beyond_since := NULL;
            state.well_since := NULL;
        END IF;

        IF firing.id IS NULL AND rowcast.is_beyond(sample.value, rule.comparison, rule.threshold) THEN
            state.beyond_since := coalesce(state.beyond_since, sample.sampled_at);
            IF sample.sampled_at - state.beyond_since >= rule."for" AND sample.sampled_at >= now - rule.stale_after THEN
                firing := rowcast.fire_alert(rule, organization, chatbot, sample.value, sample.sampled_at,
                    rowcast.alert_sentence(rule, subject, sample.value, rowcast.alert_relation(rule.comparison), rule.threshold));
                state.beyond_since := NULL;
                state.well_since := NULL;
            END IF;
        ELSIF firing.id IS NULL THEN
            state.beyond_since := NULL;
        ELSIF NOT rowcast.is_beyond(sample.value, rule.comparison, coalesce(rule.resolve_threshold, rule.threshold)) THEN
            state.well_since := coalesce(state.well_since, sample.sampled_at);
            IF sample.sampled_at - state.well_since >= rule."for" THEN
                PERFORM rowcast.resolve_alert(firing.id, sample.value, sample.sampled_at,
                    rowcast.alert_sentence(rule, subject, sample.value, 'no longer ' || rowcast.alert_relation(rule.comparison),
                                           coalesce(rule.resolve_threshold, rule.threshold)));
                firing := NULL;
                state.beyond_since := NULL;
                state.well_since := NULL;
            END IF;
        ELSE
            state.well_since := NULL;
        END IF;

        state.sampled_at := sample.sampled_at;
        state.event_id := sample.event_id;
        state.value := sample.value;
    END LOOP;

    IF state.sampled_at IS NOT NULL THEN
        INSERT INTO rowcast.alert_states AS s VALUES (
            rule.id, organization, chatbot, state.sampled_at, state.event_id, state.value, state.beyond_since, state.well_since)
        ON CONFLICT (rule_id, organization_id, chatbot_id) DO UPDATE
            SET sampled_at = excluded.sampled_at, event_id = excluded.event_id, value = excluded.value,
                beyond_since = excluded.beyond_since, well_since = excluded.well_since;
    END IF;
    IF rule."window" IS NULL THEN
        DELETE FROM rowcast.metric_samples s WHERE s.rule_id = rule.id AND s.organization_id = organization AND s.chatbot_id = chatbot;
    END IF;
END
$$;

-- The values of an alert that fires have stopped.
CREATE OR REPLACE FUNCTION rowcast.resolve_stale(firing rowcast.alerts, rule rowcast.alert_rules, sampled_at timestamptz, value numeric) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.resolve_alert(firing.id, value, sampled_at + rule.stale_after,
        format('%s of %s has had no value for %s', rule.metric, coalesce(firing.chatbot_id, firing.organization_id), rowcast.alert_span(rule.stale_after)));
END;

-- Looks at the clock for all that fires. Ends a thousand at a time, the others at the next.
CREATE OR REPLACE FUNCTION rowcast.resolve_all_stale(rules rowcast.alert_rules[], now timestamptz) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.resolve_stale(a, r, l.sampled_at, l.value)
    FROM rowcast.alerts a
    JOIN unnest(rules) AS r ON r.id = a.rule_id AND r.budget IS NULL
    LEFT JOIN rowcast.alert_states s ON s.rule_id = a.rule_id AND s.organization_id = a.organization_id AND s.chatbot_id = coalesce(a.chatbot_id, '')
    CROSS JOIN LATERAL (SELECT coalesce(s.sampled_at, a.fired_at), coalesce(s.value, a.value)) AS l (sampled_at, value)
    WHERE a.resolved_at IS NULL AND now - l.sampled_at > r.stale_after
    ORDER BY a.id LIMIT 1000;
END;
