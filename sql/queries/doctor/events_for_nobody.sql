-- Were there events lately that nobody may see, because their organization could not be found? Of the last 100,000 ids and the last day.
SELECT 'warning' AS level,
       format('%s: in the last day %s events that nobody may see, the last with key %s', coalesce(o.source, 'rowcast.emit()'), count(*), coalesce(max(o.source_key), 'none')) AS what,
       format('the organization_id expression yields NULL: SELECT organization_id FROM rowcast.attachments WHERE source_in_events = %L; -- see docs/capture.md', coalesce(o.source, '')) AS fix
FROM rowcast.outbox AS o
WHERE o.id > (SELECT last_value - 100000 FROM rowcast.outbox_id_seq) AND o.audience = 'nobody' AND o.created_at > now() - interval '1 day'
GROUP BY o.source
ORDER BY o.source
