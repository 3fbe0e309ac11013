-- Is there room for more connections? A server needs ROWCAST_DATABASE_CONNECTIONS and one more to listen.
SELECT CASE WHEN used > limited * 0.95 THEN 'problem' WHEN used > limited * 0.8 THEN 'warning' ELSE 'ok' END AS level,
       format('%s of %s connections are in use', used, limited) AS what,
       'ALTER SYSTEM SET max_connections = …; -- and restart Postgres; or put a pooler in front of the app' AS fix
FROM (SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
             current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer) AS c (used, limited)
