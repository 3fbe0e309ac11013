-- Has a two-phase commit been forgotten? It holds its locks, its events and vacuum for ever, and survives restarts.
SELECT 'warning' AS level,
       format('transaction %L of %s was prepared %s ago and has not been decided', p.gid, p.owner, date_trunc('second', now() - p.prepared)) AS what,
       format('COMMIT PREPARED %1$L; or ROLLBACK PREPARED %1$L; -- its transaction manager knows which', p.gid) AS fix
FROM pg_prepared_xacts AS p
WHERE p.database = current_database() AND p.prepared < now() - coalesce(nullif(current_setting('rowcast.long_transaction', true), ''), '1 minute')::interval * 5
