-- Whose stream that is, if it is open anywhere.
SELECT c.user_id FROM rowcast.live_connections c WHERE c.id = $1
