-- Measures every chatbot over the window that ends now: writes a row of rowcast.chatbot_metrics for each, and counts the costs of today and yesterday.
--
-- Called by one server at a time (ROWCAST_METRICS_INTERVAL), with its name; or from cron, without. It only reads the app's messages: nobody waits for it. What is long is
-- done before anything is locked; whether it is still this server's to do is asked at the end, and holds until the rows are committed.
--
-- outcome: measured; unset, when nobody has said where the messages are; busy, when somebody else is measuring at this moment; lost, when another server has the duty.
CREATE OR REPLACE FUNCTION rowcast.measure(
    length interval DEFAULT '1 hour', server text DEFAULT NULL,
    OUT outcome text, OUT chatbots bigint, OUT messages bigint, OUT left_out bigint, OUT unpriced_models text[]
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    until   CONSTANT timestamptz := clock_timestamp();
    figures rowcast.chatbot_metrics[];
    days    CONSTANT date[] := ARRAY(SELECT rowcast.days_to_count());
    costs   rowcast.daily_costs[];
    of_day  date;
BEGIN
    IF to_regclass('rowcast.messages') IS NULL THEN
        outcome := 'unset';
        RETURN;
    ELSIF NOT pg_try_advisory_xact_lock(1919907683, 7) THEN
        outcome := 'busy';
        RETURN;
    END IF;
    figures := ARRAY(SELECT f FROM rowcast.measured(length, until) f);
    left_out := rowcast.uncountable_messages(until - length, until);
    costs := ARRAY(SELECT c FROM unnest(days) AS d (of_day), rowcast.counted_costs(d.of_day) c);

    IF server IS NOT NULL AND NOT rowcast.take_duty('metrics', server) THEN
        outcome := 'lost';
        RETURN;
    END IF;
    INSERT INTO rowcast.chatbot_metrics (
        measured_at, window_length, organization_id, chatbot_id, messages, active_conversations, response_time_ms, response_time_p95_ms, success_rate,
        input_tokens, output_tokens, unpriced_tokens, unpriced_models, cost, satisfaction, trends)
    SELECT f.measured_at, f.window_length, f.organization_id, f.chatbot_id, f.messages, f.active_conversations, f.response_time_ms, f.response_time_p95_ms,
           f.success_rate, f.input_tokens, f.output_tokens, f.unpriced_tokens, f.unpriced_models, f.cost, f.satisfaction, f.trends
    FROM unnest(figures) f;
    FOREACH of_day IN ARRAY days LOOP
        PERFORM rowcast.store_costs(of_day, ARRAY(SELECT c FROM unnest(costs) c WHERE c.day = of_day));
    END LOOP;

    outcome := 'measured';
    chatbots := cardinality(figures);
    messages := (SELECT coalesce(sum(f.messages), 0) FROM unnest(figures) f);
    unpriced_models := ARRAY(SELECT DISTINCT m FROM unnest(figures) f, unnest(f.unpriced_models) m ORDER BY m);
END
$$;
