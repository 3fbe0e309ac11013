-- Why the user $1 sees the event $2, as JSON for them. No row where they may not see it, whatever the reason: it is not there, is there no more, or is not for them.
-- One statement, so that the rules and the fields are told of one moment.
WITH steps AS MATERIALIZED (
    SELECT e.* FROM rowcast.explain($1, $2) WITH ORDINALITY AS e (rule, passes, detail, place)
)
SELECT jsonb_strip_nulls(jsonb_build_object(
    'eventId', o.id::text,
    'eventType', o.event_type,
    'audience', o.audience,
    'organizationId', o.organization_id,
    'requiredPermission', t.required_permission
)) || jsonb_build_object(
    'delivered', (SELECT s.passes FROM steps AS s WHERE s.rule = 'delivered'),
    'rules', (
        SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('rule', s.rule, 'passes', s.passes, 'detail', s.detail)) ORDER BY s.place)
        FROM steps AS s WHERE s.rule <> 'delivered'),
    'hidden', (
        SELECT coalesce(jsonb_agg(
            jsonb_build_object('path', h.path, 'permission', h.unless_permission)
                || CASE WHEN h.replacement IS NULL THEN '{}' ELSE jsonb_build_object('replacement', h.replacement) END
            ORDER BY h.path), '[]')
        FROM rowcast.hidden_fields(o, $1) AS h)
) AS explanation
FROM rowcast.outbox AS o JOIN rowcast.event_types AS t ON t.name = o.event_type
WHERE o.id = $2
  -- That there are streams to look at says that no rule before has refused it; and none that is not about streams may.
  AND EXISTS (SELECT FROM steps AS s WHERE s.rule = 'subscribed')
  AND NOT EXISTS (SELECT FROM steps AS s WHERE NOT s.passes AND s.rule NOT IN ('stream', 'subscribed', 'delivered'))
