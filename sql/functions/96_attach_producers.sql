-- What the producers write becomes events: one call for each of their tables (40_producer_tables.sql).
CREATE OR REPLACE FUNCTION rowcast.attach_producers() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Nothing answered is nothing waited for, and nothing failed.
    PERFORM rowcast.keep_attached('rowcast.chatbot_metrics', 'chatbot_metrics',
        organization_id => 'r.organization_id',
        data => $data$jsonb_strip_nulls(jsonb_build_object(
            'activeConversations', r.active_conversations,
            'responseTime',        trim_scale(coalesce(r.response_time_ms, 0)),
            'successRate',         trim_scale(coalesce(r.success_rate, 1)),
            'tokenUsage',          r.input_tokens + r.output_tokens,
            'cost',                trim_scale(r.cost),
            'userSatisfaction',    trim_scale(r.satisfaction),
            'trends',              r.trends
        ))$data$,
        priority => $data$'low'$data$,
        chatbot_id => 'r.chatbot_id');
    -- Several are told as a sum: whose number is in the metadata.
    PERFORM rowcast.keep_attached('rowcast.activity', 'user_activity',
        organization_id => 'r.organization_id',
        data => $data$jsonb_strip_nulls(jsonb_build_object(
            'userId', coalesce(r.user_id, '*'), 'action', r.action, 'sessionId', r.session_id, 'metadata', r.metadata))$data$,
        priority => $data$'low'$data$,
        user_id => 'r.user_id',
        session_id => 'r.session_id');
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
