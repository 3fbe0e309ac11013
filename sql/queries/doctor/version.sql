-- Is this Postgres one that rowcast runs on?
SELECT CASE WHEN v.number < 140000 THEN 'problem' ELSE 'ok' END AS level,
       'Postgres ' || current_setting('server_version') || CASE WHEN v.number < 140000 THEN ' is too old: rowcast needs 14 or newer' ELSE '' END AS what,
       'upgrade Postgres to 14 or newer' AS fix
FROM (SELECT current_setting('server_version_num')::integer) AS v (number)
