-- Deletes figures and costs that are older than they are to be kept.
CREATE OR REPLACE FUNCTION rowcast.prune_metrics() RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    metrics CONSTANT interval := rowcast.kept_for('metrics_retention', '90 days');
    costs   CONSTANT interval := rowcast.kept_for('costs_retention', '400 days');
    gone    bigint;
BEGIN
    DELETE FROM rowcast.chatbot_metrics m WHERE m.measured_at < clock_timestamp() - metrics;
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        RETURN QUERY SELECT 'pruned', 'rowcast.chatbot_metrics', format('%s rows older than %s', gone, metrics);
    END IF;
    DELETE FROM rowcast.daily_costs c WHERE c.day < clock_timestamp() - costs;
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        RETURN QUERY SELECT 'pruned', 'rowcast.daily_costs', format('%s days older than %s', gone, costs);
    END IF;
END
$$;
