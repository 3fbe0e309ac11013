-- What the producers write becomes events: one call for each of their tables (40_producer_tables.sql).
CREATE OR REPLACE FUNCTION rowcast.attach_producers() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rowcast.keep_attached('rowcast.errors', 'error_notification',
        organization_id => 'r.organization_id', chatbot_id => 'r.chatbot_id', priority => 'r.severity', operations => '{INSERT,UPDATE}',
        data => $data$jsonb_strip_nulls(jsonb_build_object(
            'errorId', r.id::text,
            'component', coalesce(r.component, r.logger, r.project, 'general'),
            'severity', r.severity,
            'message', r.message,
            'stackTrace', r.stack_trace,
            'userImpact', CASE WHEN r.users >= 100 THEN 'critical' WHEN r.users >= 10 THEN 'major' WHEN r.users >= 1 THEN 'minor' ELSE 'none' END,
            'resolution', r.resolution,
            'sentryIssueId', coalesce(r.sentry_short_id, r.sentry_issue_id)))$data$);
END
$$;
REVOKE ALL ON FUNCTION rowcast.attach_producers() FROM PUBLIC;

SELECT rowcast.attach_producers();
