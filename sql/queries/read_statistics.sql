-- Who is connected, on all servers, as JSON: the streams on which events of the organizations $1 are sent, or all of them (null). $2 for how many seconds
-- the server that asks has been running. What servers have counted is
-- not told apart by organization, so it is only told to those who may see all.
WITH counted AS MATERIALIZED (
    SELECT c.* FROM rowcast.live_connections c WHERE $1::text[] IS NULL OR c.organizations && $1::text[]
), by_organization AS (
    SELECT o.organization, count(*) AS streams
    FROM counted c, unnest(c.organizations) AS o (organization)
    WHERE $1::text[] IS NULL OR o.organization = ANY ($1::text[])
    GROUP BY 1
), alive AS MATERIALIZED (
    SELECT s.* FROM rowcast.servers s WHERE s.seen_at > clock_timestamp() - interval '15 s'
)
SELECT jsonb_build_object(
    'totalConnections', (SELECT count(*) FROM counted),
    'activeConnections', (SELECT count(*) FROM counted WHERE active),
    'connectionsByUser', (SELECT coalesce(jsonb_object_agg(user_id, streams), '{}') FROM (SELECT user_id, count(*) AS streams FROM counted GROUP BY 1) u),
    'connectionsByOrganization', (SELECT coalesce(jsonb_object_agg(organization, streams), '{}') FROM by_organization),
    'eventTypes', (
        SELECT coalesce(jsonb_object_agg(event_type, streams), '{}')
        FROM (SELECT t.event_type, count(*) AS streams FROM counted c, unnest(c.event_types) AS t (event_type) GROUP BY 1) e),
    'timestamp', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'serverUptime', $2::bigint,
    'deliveryLag', (
        SELECT jsonb_build_object(
            'meanMs', round(avg((s.figures #>> '{deliveryLag,meanMs}')::numeric), 3), 'maxMs', max((s.figures #>> '{deliveryLag,maxMs}')::numeric))
        FROM alive s),
    'servers', CASE WHEN $1::text[] IS NULL THEN (
        SELECT coalesce(jsonb_agg(s.figures || jsonb_build_object(
            'id', s.id,
            'startedAt', to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'connections', (SELECT count(*) FROM counted c WHERE c.server = s.id)) ORDER BY s.started_at, s.id), '[]')
        FROM alive s) END
) AS statistics
