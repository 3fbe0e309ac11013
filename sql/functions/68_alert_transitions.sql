-- The two things that happen to an alert. The index alerts_firing sees to it that nothing fires twice; what is resolved already stays as it is.

CREATE OR REPLACE FUNCTION rowcast.fire_alert(
    rule rowcast.alert_rules, organization_id text, chatbot_id text, value numeric, fired_at timestamptz, message text, period_start date DEFAULT NULL
) RETURNS rowcast.alerts
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO rowcast.alerts (rule_id, organization_id, chatbot_id, metric, severity, fired_at, value, threshold, message, period_start, rule)
    VALUES (rule.id, organization_id, nullif(chatbot_id, ''), rule.metric, rule.severity, fired_at, trim_scale(value), rule.threshold, message, period_start, to_jsonb(rule))
    RETURNING *;
END;

CREATE OR REPLACE FUNCTION rowcast.resolve_alert(alert_id bigint, value numeric, resolved_at timestamptz, resolution text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE rowcast.alerts a
    SET resolved_at = greatest(resolve_alert.resolved_at, a.fired_at), resolved_value = trim_scale(resolve_alert.value), resolution = resolve_alert.resolution
    WHERE a.id = alert_id AND a.resolved_at IS NULL;
END;
