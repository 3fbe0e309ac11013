-- Do writers ring? If not, servers poll: a few milliseconds of delay, and a query every 20 ms from each server.
SELECT 'ok' AS level,
       CASE WHEN rowcast_off THEN 'the setting doorbell is off: servers poll' ELSE 'two-phase commit is enabled: writers do not NOTIFY, servers poll' END AS what,
       CASE WHEN rowcast_off THEN 'UPDATE rowcast.settings SET value = ''auto'' WHERE name = ''doorbell''; -- then restart the servers'
            ELSE 'if nobody uses it: ALTER SYSTEM SET max_prepared_transactions = 0; -- and restart Postgres and the servers' END AS fix
FROM (SELECT EXISTS (SELECT FROM rowcast.settings WHERE name = 'doorbell' AND value = 'off')) AS s (rowcast_off)
WHERE rowcast_off OR current_setting('max_prepared_transactions') <> '0'
