-- How the app's own parts are, by its own rows: documents that wait for a worker, replies that failed lately.
WITH checks AS (
    SELECT 'document_processing' AS component, 'queue_depth' AS metric, count(*)::numeric AS value, 5::numeric AS threshold,
           'Start another worker' AS recommendation
    FROM chatbot.documents
    WHERE finished_at IS NULL
    UNION ALL
    SELECT 'general', 'failed_replies_percent', coalesce(round(100.0 * count(*) FILTER (WHERE status = 'failed') / nullif(count(*), 0), 1), 0), 4,
           'Compare with the time of the last deployment'
    FROM (SELECT status FROM chatbot.messages WHERE role = 'bot' AND status <> 'generating' ORDER BY id DESC LIMIT 100) AS latest
), judged AS (
    SELECT *, CASE WHEN value > 2 * threshold THEN 'down' WHEN value > threshold THEN 'degraded' ELSE 'healthy' END AS status FROM checks
)
INSERT INTO chatbot.system_events (kind, component, severity, name, value, threshold, status, message, details)
SELECT 'health_check', component, CASE status WHEN 'down' THEN 'critical' WHEN 'degraded' THEN 'high' ELSE 'info' END, metric, value, threshold, status,
       format('%s is %s: %s at %s, limit %s', component, status, metric, value, threshold),
       CASE status WHEN 'healthy' THEN '{}' ELSE jsonb_build_object('recommendation', recommendation) END
FROM judged
