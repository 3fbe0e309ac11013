-- What the producers write becomes events: one call for each of their tables (40_producer_tables.sql).
CREATE OR REPLACE FUNCTION rowcast.attach_producers() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- A row is inserted when the alert fires, and updated when it is over. (Rounded, since what is closer to nothing is no float8 but an error.)
    PERFORM rowcast.keep_attached('rowcast.alerts', 'performance_alert',
        organization_id => 'r.organization_id',
        data => $data$jsonb_strip_nulls(jsonb_build_object(
            'metric',    r.metric,
            'value',     round(coalesce(r.resolved_value, r.value), 20)::float8,
            'threshold', round(r.threshold, 20)::float8,
            'status',    CASE WHEN r.resolved_at IS NULL THEN 'firing' ELSE 'resolved' END,
            'message',   coalesce(r.resolution, r.message),
            'chatbotId', r.chatbot_id
        ))$data$,
        operations => '{INSERT,UPDATE}',
        priority => 'r.severity',
        chatbot_id => 'r.chatbot_id');
END
$$;
REVOKE ALL ON FUNCTION rowcast.attach_producers() FROM PUBLIC;

SELECT rowcast.attach_producers();
