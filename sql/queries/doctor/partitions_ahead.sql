-- Is there a partition for the ids that come next?
SELECT 'warning' AS level,
       format('partitions end at id %s, and %s have been drawn: rows will soon land in the DEFAULT partition', p.last_id, s.last_value) AS what,
       'SELECT * FROM rowcast.maintain(); -- a running server does this by itself: see maintenance' AS fix
FROM rowcast.outbox_id_seq AS s
CROSS JOIN (
    SELECT coalesce(max(last_id), 0) AS last_id,
           coalesce((SELECT value FROM rowcast.settings WHERE name = 'partition_size'), '1000000')::bigint AS size
    FROM rowcast.outbox_partitions
) AS p
WHERE p.last_id - s.last_value < p.size / 10
