-- A line in the app's own log.
INSERT INTO chatbot.system_events
    (kind, organization_id, chatbot_id, user_id, component, severity, name, value, threshold, status, message, details)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::float8::numeric, $9::float8::numeric, $10, $11, $12::text::jsonb)
