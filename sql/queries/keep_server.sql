-- Says that this server is there; whether it was known. $2 how long it has been running, in seconds.
SELECT rowcast.keep_server($1, $2::bigint * interval '1 second', $3::text::jsonb, $4::text::jsonb) AS known
