-- An alert fires when a chatbot's last replies were slow on average, and is resolved when they are quick again. Whether one is firing
-- is what the log said last, so a restarted app neither repeats itself nor forgets.
WITH recent AS (
    SELECT c.id AS chatbot_id, c.organization_id, c.name, avg(m.response_time_ms)::integer AS response_time_ms
    FROM chatbot.chatbot_instances c
    CROSS JOIN LATERAL (
        SELECT m.response_time_ms
        FROM chatbot.messages m JOIN chatbot.conversation_sessions s ON s.id = m.session_id
        WHERE s.chatbot_id = c.id AND m.status = 'completed' AND m.role = 'bot' AND m.created_at > now() - interval '1 hour'
        ORDER BY m.id DESC
        LIMIT 8
    ) m
    GROUP BY c.id
), judged AS (
    SELECT recent.*,
        CASE WHEN response_time_ms > $1 THEN 'firing' ELSE 'resolved' END AS status,
        coalesce((
            SELECT e.status FROM chatbot.system_events e
            WHERE e.kind = 'alert' AND e.chatbot_id = recent.chatbot_id
            ORDER BY e.id DESC
            LIMIT 1
        ), 'resolved') AS former
    FROM recent
)
INSERT INTO chatbot.system_events (kind, organization_id, chatbot_id, severity, name, value, threshold, status, message)
SELECT 'alert', organization_id, chatbot_id, CASE status WHEN 'firing' THEN 'high' ELSE 'info' END,
       'response_time_ms', response_time_ms, $1, status,
       CASE status
           WHEN 'firing' THEN format('%s takes %s ms to answer', name, response_time_ms)
           ELSE format('%s answers within %s ms again', name, $1)
       END
FROM judged
WHERE status <> former
