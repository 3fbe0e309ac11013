-- What rowcast adds to the app's own events: figures computed from its messages, and alerts by them. Run once, after the app was attached.
SELECT rowcast.use_messages($$
    SELECT s.chatbot_id, c.organization_id, m.session_id, m.role, m.created_at,
           m.response_time_ms,
           m.status = 'failed' AS failed,
           CASE WHEN m.role = 'user' THEN m.tokens END AS input_tokens,
           CASE WHEN m.role = 'bot' THEN m.tokens END AS output_tokens,
           c.model, s.satisfaction
    FROM chatbot.messages m
    JOIN chatbot.conversation_sessions s ON s.id = m.session_id
    JOIN chatbot.chatbot_instances c ON c.id = s.chatbot_id
    WHERE m.status <> 'generating'
$$);

-- Made up, in US dollars for a million tokens.
INSERT INTO rowcast.model_prices (model, input_per_million, output_per_million) VALUES
    ('claude-haiku', 1, 5),
    ('claude-sonnet', 3, 15)
ON CONFLICT DO NOTHING;

-- Low enough that each is passed while somebody looks on: slow answers when the model is overloaded, the budget after some minutes.
INSERT INTO rowcast.alert_rules (metric, comparison, threshold, resolve_threshold, "for", severity, description)
VALUES ('responseTime', '>', 4000, 3000, '10 s', 'high', 'answers are slow');
INSERT INTO rowcast.alert_rules (metric, comparison, threshold, resolve_threshold, "for", severity, description)
VALUES ('successRate', '<', 0.85, 0.9, '10 s', 'critical', 'answers fail');
INSERT INTO rowcast.alert_rules (metric, comparison, threshold, "window", severity, description)
VALUES ('cost', '>', 0.20, '1 day', 'medium', 'daily budget'),
       ('cost', '>', 2, '1 month', 'high', 'monthly budget');
