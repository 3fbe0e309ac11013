-- An end to what alerts remember: samples that are in no window any more, or beyond the newest 10,000 of a series; series that have been silent for 30 days; and alerts that
-- were over 90 days ago. What fires stays. Whoever judges at this moment is not waited for.
CREATE OR REPLACE FUNCTION rowcast.prune_alerts() RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM FROM rowcast.alerting FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    DELETE FROM rowcast.metric_samples s
    WHERE NOT EXISTS (SELECT FROM rowcast.alert_rules r WHERE r.id = s.rule_id AND s.sampled_at >= clock_timestamp() - r."window");
    DELETE FROM rowcast.metric_samples s
    USING (SELECT m.*, row_number() OVER (PARTITION BY m.rule_id, m.organization_id, m.chatbot_id ORDER BY m.sampled_at DESC, m.event_id DESC) AS nth
           FROM rowcast.metric_samples m) AS n
    WHERE n.nth > 10000
      AND (s.rule_id, s.organization_id, s.chatbot_id, s.sampled_at, s.event_id) = (n.rule_id, n.organization_id, n.chatbot_id, n.sampled_at, n.event_id);
    DELETE FROM rowcast.alert_states s
    WHERE s.sampled_at < clock_timestamp() - interval '30 days'
      AND NOT EXISTS (SELECT FROM rowcast.alerts a WHERE a.rule_id = s.rule_id AND a.organization_id = s.organization_id
                                                     AND coalesce(a.chatbot_id, '') = s.chatbot_id AND a.resolved_at IS NULL);
    DELETE FROM rowcast.alerts a WHERE a.resolved_at < clock_timestamp() - interval '90 days';
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
