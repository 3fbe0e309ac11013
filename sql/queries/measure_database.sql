-- The figures of the database, each NULL where there is nothing to measure or this role may not see it.
--
-- Of others' sessions a role without pg_read_all_stats sees only that they are there: that is enough to count them, but for parallel workers, which it cannot tell apart.
-- A standby that has replayed all that there is has no lag, whatever the time of the last transaction.
SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
       CASE WHEN pg_is_in_recovery() THEN (
                SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END)
            WHEN pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') THEN (
                SELECT max(coalesce(extract(epoch FROM s.replay_lag), 0)) FROM pg_stat_replication s WHERE s.state IN ('streaming', 'catchup'))
       END::double precision AS replication_lag_seconds,
       (SELECT 100.0 * count(*) / current_setting('max_connections')::integer FROM pg_stat_activity a
        WHERE a.datid IS NOT NULL AND a.usesysid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend')::double precision
           AS connections_percent,
       CASE WHEN pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') THEN (
                SELECT coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0) FROM pg_stat_activity a
                WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid())
       END::double precision AS longest_transaction_seconds
