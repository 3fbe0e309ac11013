-- A page of history: rows with ids in the given ranges, in the order of their ids.
-- firsts and lasts: of the ranges, ascending. organizations: those whose events are wanted beside the platform-wide ones (null: all). most: rows.
--
-- The first row is the header, no id: how far history had expired, and up to where this page has looked (null: to the end). Closed partitions have an index that leads to the rows of an
-- organization. So a page that begins there looks into them alone, once for each organization; the next goes on where they end and reads all there is, as does one for everybody, or for so
-- many organizations that it comes to the same.
--
-- A function for its plan alone, as rowcast.read_batch(): planned for each page, the statement took longer to plan than to run. STABLE: all of it is read in the snapshot of whoever calls it.
CREATE OR REPLACE FUNCTION rowcast.read_ranges(firsts bigint[], lasts bigint[], organizations text[], most bigint)
RETURNS TABLE (
    expired_through bigint, read_through bigint,
    id bigint, txid xid8, created_at timestamptz, event_type text, audience text, organization_id text, user_id text, chatbot_id text,
    session_id text, source text, source_key text, operation text, priority text, data jsonb
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    indexed CONSTANT bigint := (
        SELECT m.indexed_through FROM rowcast.maintenance m
        WHERE cardinality(read_ranges.organizations) <= 100 AND read_ranges.firsts[1] <= m.indexed_through);
BEGIN
    RETURN QUERY SELECT m.expired_through, indexed, (NULL::rowcast.outbox).* FROM rowcast.maintenance m;
    IF indexed IS NULL THEN
        RETURN QUERY
        SELECT NULL::bigint, NULL::bigint, o.*
        FROM unnest(read_ranges.firsts, read_ranges.lasts) AS range (first, last)
        CROSS JOIN LATERAL (
            SELECT *
            FROM rowcast.outbox
            WHERE id BETWEEN range.first AND range.last
              AND audience <> 'nobody'
              AND (organization_id IS NULL OR read_ranges.organizations IS NULL OR organization_id = ANY (read_ranges.organizations))
            ORDER BY id
            LIMIT read_ranges.most
        ) AS o
        ORDER BY o.id
        LIMIT read_ranges.most;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT NULL::bigint, NULL::bigint, o.*
    FROM unnest(read_ranges.firsts, read_ranges.lasts) AS range (first, last)
    CROSS JOIN LATERAL (
        SELECT own.*
        FROM unnest(read_ranges.organizations) AS organization (id)
        CROSS JOIN LATERAL (
            SELECT *
            FROM rowcast.outbox
            WHERE organization_id = organization.id
              AND id BETWEEN range.first AND least(range.last, indexed)
              AND audience <> 'nobody'
            ORDER BY id
            LIMIT read_ranges.most
        ) AS own
        UNION ALL
        (
            SELECT *
            FROM rowcast.outbox
            WHERE organization_id IS NULL
              AND id BETWEEN range.first AND least(range.last, indexed)
              AND audience <> 'nobody'
            -- The order of the index, lest the planner think that the primary key would do as well.
            ORDER BY organization_id, id
            LIMIT read_ranges.most
        )
    ) AS o
    ORDER BY o.id
    LIMIT read_ranges.most;
END
$$;
