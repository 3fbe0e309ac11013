-- Partitions whose ids are all decided get an index for clients that come back after long and may see little: (organization_id, id). Nobody writes to such a
-- partition any more, so nobody waits for the build; the partitions that are written to do without it, because every write would pay for it.

-- Builds the next one.
CREATE OR REPLACE FUNCTION rowcast.index_closed() RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    closed regclass := (
        SELECT p.partition FROM rowcast.outbox_partitions p, rowcast.maintenance m
        WHERE NOT p.indexed AND p.last_id > m.expired_through AND p.last_id <= rowcast.decided_through()
        ORDER BY p.first_id LIMIT 1);
BEGIN
    IF closed IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE INDEX ON %s (organization_id, id)', closed);
    PERFORM rowcast.record_indexed();
    RETURN QUERY SELECT 'indexed', closed::text, 'by organization_id, id';
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN QUERY SELECT 'postponed', closed::text, 'to be indexed, but in use ' || rowcast.holders(closed);
END
$$;

CREATE OR REPLACE FUNCTION rowcast.record_indexed() RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE rowcast.maintenance m SET indexed_through = through.id
    FROM (SELECT coalesce(min(p.first_id) - 1, 0) AS id
          FROM rowcast.outbox_partitions p, rowcast.maintenance e
          WHERE NOT p.indexed AND p.last_id > e.expired_through) through
    WHERE m.indexed_through <> through.id;
END;
