-- Does somebody keep house, and does history end where it should?
SELECT 'warning' AS level,
       coalesce('maintenance ran last ' || date_trunc('second', m.maintained_at)::text, 'maintenance has never run') AS what,
       'SELECT * FROM rowcast.maintain(); -- a running server does it by itself; its log says why not' AS fix
FROM rowcast.maintenance AS m
WHERE coalesce(m.maintained_at < now() - interval '6 hours',
               -- A server that was just set up may still be about to.
               EXISTS (SELECT FROM rowcast.outbox WHERE created_at < now() - interval '6 hours' ORDER BY id LIMIT 1))
UNION ALL
SELECT 'warning',
       format('the oldest event is of %s, but only %s are to be kept', date_trunc('second', o.created_at), r.kept),
       'SELECT * FROM rowcast.maintain(); -- again, until it says nothing but `postponed`, which says who is in the way'
FROM (SELECT nullif(coalesce((SELECT value FROM rowcast.settings WHERE name = 'retention'), '7 days'), 'none')::interval) AS r (kept)
CROSS JOIN LATERAL (SELECT created_at FROM rowcast.outbox ORDER BY id LIMIT 1) AS o
-- Partitions go as a whole, so some events stay for longer.
WHERE o.created_at < now() - r.kept * 2
