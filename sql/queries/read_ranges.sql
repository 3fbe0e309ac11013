-- A page of history: rows with ids in the given ranges, in the order of their ids.
-- $1 and $2 first and last ids, ascending; $3 the organizations whose events are wanted beside the platform-wide ones (null: all); $4 the most rows.
--
-- The first row is the header, no id: how far history had expired in this snapshot, and up to where this page has looked (null: to the end). Closed
-- partitions have an index that leads to the rows of an organization. So a page that begins there looks into them alone, once for each organization; the next goes on where they end
-- and reads all there is, as does one for everybody, or for so many organizations that it comes to the same.
WITH maintenance AS MATERIALIZED (
    SELECT
        expired_through,
        CASE WHEN cardinality($3::text[]) <= 100 AND ($1::bigint[])[1] <= indexed_through THEN indexed_through END AS read_through
    FROM rowcast.maintenance
)
SELECT expired_through, read_through, (NULL::rowcast.outbox).*
FROM maintenance
UNION ALL
(
    SELECT NULL, NULL, o.*
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
    WHERE (SELECT read_through FROM maintenance) IS NULL
    ORDER BY o.id
    LIMIT $4
)
UNION ALL
(
    SELECT NULL, NULL, o.*
    FROM unnest($1::bigint[], $2::bigint[]) AS range (first, last)
    CROSS JOIN LATERAL (
        SELECT own.*
        FROM unnest($3::text[]) AS organization (id)
        CROSS JOIN LATERAL (
            SELECT *
            FROM rowcast.outbox
            WHERE organization_id = organization.id
              AND id BETWEEN range.first AND least(range.last, (SELECT read_through FROM maintenance))
              AND audience <> 'nobody'
            ORDER BY id
            LIMIT $4
        ) AS own
        UNION ALL
        (
            SELECT *
            FROM rowcast.outbox
            WHERE organization_id IS NULL
              AND id BETWEEN range.first AND least(range.last, (SELECT read_through FROM maintenance))
              AND audience <> 'nobody'
            -- The order of the index, lest the planner think that the primary key would do as well.
            ORDER BY organization_id, id
            LIMIT $4
        )
    ) AS o
    WHERE (SELECT read_through FROM maintenance) IS NOT NULL
    ORDER BY o.id
    LIMIT $4
)
ORDER BY id NULLS FIRST
