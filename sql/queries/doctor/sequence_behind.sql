-- Is the sequence behind its table? After a restore or a logical switch-over the next write would draw an id that is taken.
SELECT 'problem' AS level,
       format('the sequence stands at %s, but the outbox already has id %s: writes to attached tables fail with a duplicate key', s.last_value, o.id) AS what,
       format('SELECT setval(''rowcast.outbox_id_seq'', %s);', o.id) AS fix
FROM rowcast.outbox_id_seq AS s
CROSS JOIN LATERAL (SELECT rowcast.highest_id() AS id) AS o
WHERE o.id > s.last_value - (NOT s.is_called)::integer
