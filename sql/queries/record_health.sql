-- Writes what was measured ($3), if that duty ($1) is this server's ($2); whether it was.
SELECT rowcast.record_health($1, $2, $3::text::jsonb) AS recorded
