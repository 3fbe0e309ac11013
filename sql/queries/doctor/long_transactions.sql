-- Is a transaction open for long? One that wrote events delays them and keeps gaps alive; any keeps vacuum from its work.
-- What others do is only seen by members of pg_read_all_stats. How long is long: rowcast.long_transaction, a minute; ten times that for one that only reads.
WITH long (time) AS (
    SELECT coalesce(nullif(current_setting('rowcast.long_transaction', true), ''), '1 minute')::interval
)
SELECT 'warning' AS level,
       format('session %s of %s (%s) has a transaction open for %s%s', a.pid, a.usename, coalesce(nullif(a.application_name, ''), 'no name'),
              date_trunc('second', now() - a.xact_start), CASE WHEN m.writes THEN ', in which it wrote events' ELSE '' END) AS what,
       format('SELECT pg_terminate_backend(%s); -- or let its owner end it; set idle_in_transaction_session_timeout', a.pid) AS fix
FROM long
CROSS JOIN pg_stat_activity AS a
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.classid = 1919907683 AND l.objid = 1)
) AS m (writes)
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
  AND (a.backend_xid IS NOT NULL OR a.backend_xmin IS NOT NULL)
  AND a.xact_start < now() - CASE WHEN m.writes THEN long.time ELSE long.time * 10 END
UNION ALL
SELECT 'unknown',
       format('%s may not see what the sessions of others do', current_user),
       format('GRANT pg_read_all_stats TO %I;', current_user)
WHERE NOT pg_has_role('pg_read_all_stats', 'USAGE')
