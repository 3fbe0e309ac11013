-- Tells of at most $1 streams that have gone, on whichever server; how many there were.
SELECT rowcast.tell_departures($1) AS told
