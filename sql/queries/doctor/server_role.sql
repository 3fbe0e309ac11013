-- Who serves? A server connects as a role that may read and nothing more. (Servers call themselves rowcast unless their URL says otherwise.)
SELECT 'warning' AS level,
       format('a server is connected as %I, a superuser', s.usename) AS what,
       'CREATE ROLE rowcast_serve LOGIN PASSWORD ''…'' IN ROLE rowcast_server; -- then put it into the server''s DATABASE_URL' AS fix
FROM (SELECT DISTINCT usename FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'rowcast' AND pid <> pg_backend_pid()) AS s
JOIN pg_roles AS r ON r.rolname = s.usename AND r.rolsuper
UNION ALL
SELECT 'warning',
       'no role that can log in is in rowcast_server',
       'CREATE ROLE rowcast_serve LOGIN PASSWORD ''…'' IN ROLE rowcast_server; -- then put it into the server''s DATABASE_URL'
WHERE NOT EXISTS (SELECT FROM pg_roles AS r
                  WHERE r.rolcanlogin AND NOT r.rolsuper AND pg_has_role(r.oid, 'rowcast_server', 'MEMBER'))
