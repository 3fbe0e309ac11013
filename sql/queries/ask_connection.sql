-- Asks something of a stream on another server. $1 names the request, for the answer.
SELECT rowcast.ask_connection($1, $2, $3::text::jsonb)
