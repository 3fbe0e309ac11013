-- A page of history: rows with ids in the given ranges, in the order of their ids.
-- $1 and $2 first and last ids, ascending; $3 the organizations whose events are wanted beside the platform-wide ones (null: all); $4 the most rows.
SELECT o.*
FROM unnest($1::bigint[], $2::bigint[]) AS range (first, last)
CROSS JOIN LATERAL (
    SELECT *
    FROM rowcast.outbox
    WHERE id BETWEEN range.first AND range.last
      AND audience <> 'nobody'
      AND (organization_id IS NULL OR $3::text[] IS NULL OR organization_id = ANY ($3::text[]))
    ORDER BY id
    LIMIT $4
) AS o
ORDER BY o.id
LIMIT $4
