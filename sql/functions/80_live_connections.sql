-- The streams that are open, on servers that are there: a server that was killed says no goodbye, and is given up 15 s after its last word.
CREATE OR REPLACE VIEW rowcast.live_connections AS
SELECT c.*
FROM rowcast.connections c
JOIN rowcast.servers s ON s.id = c.server
WHERE s.seen_at > clock_timestamp() - interval '15 s';

COMMENT ON VIEW rowcast.live_connections IS 'The streams that are open now: those in rowcast.connections whose server is alive.';
