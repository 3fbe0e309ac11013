-- Partitions ahead of the ids: as many as were begun within a day, and one at least.
CREATE OR REPLACE FUNCTION rowcast.partitions_ahead() RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Each costs readers a moment; who draws faster wants larger partitions.
    most CONSTANT bigint := 16;
    begun     bigint := 0;
    candidate regclass;
    oldest    timestamptz;
BEGIN
    FOR candidate IN
        SELECT p.partition FROM rowcast.outbox_partitions p WHERE p.first_id <= rowcast.drawn_through() ORDER BY p.first_id DESC LIMIT most
    LOOP
        EXECUTE format('SELECT created_at FROM ONLY %s ORDER BY id LIMIT 1', candidate) INTO oldest;
        EXIT WHEN oldest < clock_timestamp() - interval '1 day' IS NOT FALSE;
        begun := begun + 1;
    END LOOP;
    RETURN greatest(begun, 1);
END
$$;

-- Whether partitions have to be made.
CREATE OR REPLACE FUNCTION rowcast.runs_short() RETURNS boolean
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
RETURN rowcast.default_partition() IS NULL
    OR rowcast.next_first_id() - 1 - rowcast.drawn_through() < rowcast.partitions_ahead() * rowcast.partition_size();

-- Makes them. The caller holds the outbox for itself, and the DEFAULT partition, if there is one, has no rows for them.
CREATE OR REPLACE FUNCTION rowcast.extend_outbox() RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_id bigint;
    ends     bigint;
BEGIN
    IF rowcast.default_partition() IS NULL THEN
        CREATE TABLE rowcast.outbox_default PARTITION OF rowcast.outbox DEFAULT;
        RETURN QUERY SELECT 'created', 'rowcast.outbox_default', 'for ids that have no partition';
    END IF;
    WHILE rowcast.runs_short() LOOP
        first_id := rowcast.next_first_id();
        ends := rowcast.partition_end(first_id, rowcast.drawn_through());
        EXECUTE format('CREATE TABLE rowcast.%I PARTITION OF rowcast.outbox FOR VALUES FROM (%s) TO (%s)', 'outbox_' || first_id, first_id, ends);
        RETURN QUERY SELECT 'created', format('rowcast.outbox_%s', first_id), format('for ids %s to %s', first_id, ends - 1);
    END LOOP;
END
$$;
