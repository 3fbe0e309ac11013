-- Which timeline this server writes: every promotion of a standby raises it.
--
-- As of this moment, unlike that of pg_control_checkpoint(), which is of the last checkpoint: after a promotion, for minutes, of the life before.
-- An error on a standby, which writes none.
CREATE OR REPLACE FUNCTION rowcast.current_timeline() RETURNS bigint
LANGUAGE sql STABLE
RETURN ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint;
