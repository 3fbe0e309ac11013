-- What the producers write becomes events: one call for each of their tables (40_producer_tables.sql).
CREATE OR REPLACE FUNCTION rowcast.attach_producers() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rowcast.keep_attached('rowcast.health_checks', 'system_health',
        data => $d$jsonb_strip_nulls(jsonb_build_object(
            'component',      r.component,
            'status',         r.status,
            'metric',         r.metric,
            'value',          r.value,
            'threshold',      r.threshold,
            'message',        r.message,
            'recommendation', r.recommendation
        ))$d$,
        operations => '{INSERT,UPDATE}',
        priority => $p$CASE WHEN r.restated THEN 'low' WHEN r.status = 'down' THEN 'critical' WHEN r.status = 'degraded' THEN 'high' ELSE 'medium' END$p$);
END
$$;
REVOKE ALL ON FUNCTION rowcast.attach_producers() FROM PUBLIC;

SELECT rowcast.attach_producers();
