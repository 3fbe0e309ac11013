-- Enters streams, and returns what is refused. See sql/functions/82_enter_connections.sql.
SELECT id, refusal, retry_after FROM rowcast.enter_connections($1, $2, $3::text::jsonb, $4, $5)
