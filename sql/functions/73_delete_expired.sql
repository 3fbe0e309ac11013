-- In a quiet database one partition lasts for months. So in the partition that is still being written to, rows that are older than `kept` are deleted
-- one by one, from the lowest id on. Partitions that are full are left to go as a whole.
CREATE OR REPLACE FUNCTION rowcast.delete_expired(kept interval) RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Few enough not to be noticed; the next run goes on.
    batch CONSTANT integer := 10000;
    expired bigint := (SELECT m.expired_through FROM rowcast.maintenance m);
    decided bigint := rowcast.decided_through();
    lowest  record;
    through bigint;
    deleted bigint;
BEGIN
    SELECT p.partition, p.last_id INTO lowest FROM rowcast.outbox_partitions p WHERE p.last_id > expired ORDER BY p.first_id LIMIT 1;
    IF kept IS NULL OR lowest.last_id <= decided THEN
        RETURN;
    END IF;
    WITH oldest AS MATERIALIZED (
        SELECT o.id, o.created_at < clock_timestamp() - kept AS is_old
        FROM rowcast.outbox o
        WHERE o.id > expired AND o.id <= least(decided, lowest.last_id)
        ORDER BY o.id
        LIMIT batch
    )
    SELECT max(o.id) INTO through FROM oldest o WHERE o.id < coalesce((SELECT min(y.id) FROM oldest y WHERE NOT y.is_old), decided + 1);
    IF through IS NULL THEN
        RETURN;
    END IF;
    PERFORM rowcast.record_expired(through);
    DELETE FROM rowcast.outbox o WHERE o.id > expired AND o.id <= through;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN QUERY SELECT 'deleted', lowest.partition::text, format('%s rows up to id %s have expired', deleted, through);
END
$$;
