-- Is the queue of notifications filling up? When it is full, every transaction that notifies fails at its commit, the app's own too.
SELECT CASE WHEN usage > 0.5 THEN 'problem' WHEN usage > 0.1 THEN 'warning' ELSE 'ok' END AS level,
       format('the queue of notifications is %s %% full', round((usage * 100)::numeric, 1)) AS what,
       'a session that listens sits in a transaction: SELECT pid, usename, application_name, xact_start FROM pg_stat_activity '
       'WHERE state LIKE ''idle in transaction%'' ORDER BY xact_start; -- then SELECT pg_terminate_backend(pid);' AS fix
FROM (SELECT pg_notification_queue_usage()) AS q (usage)
