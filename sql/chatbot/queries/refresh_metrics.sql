-- Today's figures of every chatbot that was asked something, as the app's scheduled job computes them.
WITH replies AS (
    SELECT s.chatbot_id, m.status, m.tokens, m.response_time_ms
    FROM chatbot.messages m JOIN chatbot.conversation_sessions s ON s.id = m.session_id
    WHERE m.role = 'bot' AND m.status <> 'generating' AND m.created_at >= current_date
), sessions AS (
    SELECT chatbot_id, count(*) FILTER (WHERE ended_at IS NULL) AS active, avg(satisfaction) AS satisfaction
    FROM chatbot.conversation_sessions
    WHERE started_at >= current_date
    GROUP BY chatbot_id
)
INSERT INTO chatbot.daily_metrics AS d
    (chatbot_id, day, active_conversations, replies, response_time_ms, success_rate, tokens_used, cost_usd, satisfaction)
SELECT r.chatbot_id, current_date, coalesce(max(s.active), 0), count(*), avg(r.response_time_ms)::integer,
       avg((r.status = 'completed')::integer), coalesce(sum(r.tokens), 0), coalesce(sum(r.tokens), 0) * 0.000015, max(s.satisfaction)
FROM replies r LEFT JOIN sessions s USING (chatbot_id)
GROUP BY r.chatbot_id
ON CONFLICT (chatbot_id, day) DO UPDATE SET
    active_conversations = EXCLUDED.active_conversations,
    replies = EXCLUDED.replies,
    response_time_ms = EXCLUDED.response_time_ms,
    success_rate = EXCLUDED.success_rate,
    tokens_used = EXCLUDED.tokens_used,
    cost_usd = EXCLUDED.cost_usd,
    satisfaction = EXCLUDED.satisfaction,
    updated_at = now()
WHERE d.replies <> EXCLUDED.replies OR d.active_conversations <> EXCLUDED.active_conversations
