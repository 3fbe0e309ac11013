-- A page of history, as it is found in pg_stat_activity; see sql/functions/28_read_ranges.sql.
SELECT * FROM rowcast.read_ranges($1, $2, $3, $4)
