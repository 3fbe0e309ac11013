-- One step of the tailer, as it is found in pg_stat_activity; see sql/functions/28_read_batch.sql.
SELECT * FROM rowcast.read_batch($1, $2, $3, $4, $5, $6, $7)
