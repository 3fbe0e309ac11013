-- Have rows landed in the DEFAULT partition? It is a net for when partitions run out: whatever lies above the last of them.
SELECT 'warning' AS level,
       format('the DEFAULT partition holds rows from id %s on: partitions were not made in time', o.id) AS what,
       'SELECT * FROM rowcast.maintain(); -- again, until it says nothing but `postponed`' AS fix
FROM (SELECT coalesce(max(last_id), 0) AS last_id FROM rowcast.outbox_partitions) AS p
CROSS JOIN LATERAL (SELECT id FROM rowcast.outbox WHERE id > p.last_id ORDER BY id LIMIT 1) AS o
