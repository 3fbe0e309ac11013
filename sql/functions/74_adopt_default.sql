-- Rows in the DEFAULT partition: the net has caught ids for which no partition was made in time. They are not moved. The table that holds them becomes
-- an ordinary partition, and an empty one takes its place as DEFAULT: two lines in the catalogs, under a lock that is held for an instant. Readers find
-- every row before and after, once.
--
-- Postgres looks at all rows of a table that becomes a partition, while everybody waits. Where that would take long, a CHECK of the same meaning is
-- proved beforehand, which keeps nobody waiting (limit_default, then prove_limit in another transaction). But while it is there it
-- is a CHECK, and an id beyond it would make an app's write fail. So it lifts itself after some minutes, however maintenance may have ended.

-- `last` until that moment, then no limit at all. It is not IMMUTABLE, but has to be called that: Postgres then puts the number in its place
-- when it plans an INSERT, and when it proves what the CHECK implies. What has been proved is as old as the CHECK: once lifted, it is dropped, never extended.
CREATE OR REPLACE FUNCTION rowcast.limit_until(last bigint, until timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN clock_timestamp() < until THEN last ELSE 9223372036854775807 END;

-- What the next partition begins with.
CREATE OR REPLACE FUNCTION rowcast.next_first_id() RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT greatest(max(p.last_id), (SELECT m.expired_through FROM rowcast.maintenance m)) + 1 FROM rowcast.outbox_partitions p;
END;

-- And its end, exclusive: a whole number of partitions further, above `id`.
CREATE OR REPLACE FUNCTION rowcast.partition_end(first_id bigint, id bigint) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN first_id + rowcast.partition_size() * greatest(1, 1 + (id - first_id) / rowcast.partition_size());

CREATE OR REPLACE FUNCTION rowcast.default_partition() RETURNS regclass
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT nullif(t.partdefid, 0)::regclass FROM pg_partitioned_table t WHERE t.partrelid = 'rowcast.outbox'::regclass;
END;

-- What stands between the DEFAULT partition and being an ordinary one.
CREATE OR REPLACE FUNCTION rowcast.default_state(
    OUT partition regclass,
    -- Lowest and highest id in it.
    OUT first_id bigint,
    OUT last_id bigint,
    -- Whether partitions can be made while it is there: it has no rows for them, and is so small that Postgres may look at all of it while everybody waits
    -- (some milliseconds).
    OUT is_out_of_the_way boolean,
    OUT is_small boolean,
    -- Whether all its rows are above all partitions: nothing else comes of being caught by the net.
    OUT is_adoptable boolean,
    -- The CHECK: where it ends, whether it still holds, whether it has been proved.
    OUT limited_to bigint,
    OUT is_limited boolean,
    OUT is_proved boolean,
    -- Whether it may become a partition while everybody waits.
    OUT is_ready boolean
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    limits text[];
BEGIN
    partition := rowcast.default_partition();
    IF partition IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT min(id), max(id) FROM ONLY %s', partition) INTO first_id, last_id;
    is_small := pg_relation_size(partition) <= 16 * 1024 * 1024;
    is_out_of_the_way := is_small AND coalesce(last_id < rowcast.next_first_id(), true);
    is_adoptable := NOT is_out_of_the_way AND coalesce(first_id >= rowcast.next_first_id(), true);
    SELECT c.convalidated, regexp_match(pg_get_constraintdef(c.oid), 'limit_until\(''(\d+)''::bigint, ''([^'']+)''')
    INTO is_proved, limits
    FROM pg_constraint c WHERE c.conrelid = partition AND c.conname = 'becomes_a_partition';
    limited_to := limits[1]::bigint;
    -- Not in the last moment: what comes next takes one too.
    is_limited := limits[2]::timestamptz > clock_timestamp() + interval '5 seconds';
    is_ready := is_adoptable AND (is_small OR is_limited AND is_proved);
END
$$;

-- First step for a large one: the CHECK, unproved, for new rows only. Nobody but writers of the net has to wait for it.
CREATE OR REPLACE FUNCTION rowcast.limit_default() RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- More than can be drawn before the CHECK lifts itself.
    margin CONSTANT bigint := 100000000;
    net      record;
    first_id bigint := rowcast.next_first_id();
    until    timestamptz;
BEGIN
    SELECT * INTO net FROM rowcast.default_state();
    until := clock_timestamp() + interval '10 minutes' + interval '1 second' * (pg_relation_size(net.partition) / 100000000);
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS becomes_a_partition', net.partition);
    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT becomes_a_partition CHECK (id >= %L::bigint AND id < rowcast.limit_until(%L::bigint, %L)) NOT VALID',
                   net.partition, first_id, rowcast.partition_end(first_id, rowcast.drawn_through() + margin), until);
    RETURN QUERY SELECT 'limited', net.partition::text, format('rows from id %s on; a CHECK until %s prepares it to be a partition', net.first_id, until);
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN QUERY SELECT 'postponed', net.partition::text, 'holds rows, and is to be made a partition, but in use ' || rowcast.holders(net.partition);
END
$$;

-- Second step: reads all of it, and keeps neither readers nor writers waiting.
CREATE OR REPLACE FUNCTION rowcast.prove_limit() RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    net record;
BEGIN
    SELECT * INTO net FROM rowcast.default_state();
    EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT becomes_a_partition', net.partition);
    RETURN QUERY SELECT 'proved', net.partition::text, format('all its rows fit into one partition, up to id %s', net.limited_to - 1);
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN QUERY SELECT 'postponed', net.partition::text, 'holds rows, and is to be made a partition, but in use ' || rowcast.holders(net.partition);
END
$$;

-- The last step. The caller holds the outbox for itself.
CREATE OR REPLACE FUNCTION rowcast.adopt_default() RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    net      record;
    first_id bigint := rowcast.next_first_id();
    adopted  text   := 'outbox_' || first_id;
    ends     bigint;
BEGIN
    SELECT * INTO net FROM rowcast.default_state();
    ends := CASE WHEN net.is_limited AND net.is_proved THEN net.limited_to
                 ELSE rowcast.partition_end(first_id, rowcast.drawn_through() + rowcast.partition_size()) END;
    EXECUTE format('ALTER TABLE rowcast.outbox DETACH PARTITION %s', net.partition);
    EXECUTE format('ALTER TABLE %s RENAME TO %I', net.partition, adopted);
    EXECUTE format('ALTER TABLE rowcast.outbox ATTACH PARTITION rowcast.%I FOR VALUES FROM (%s) TO (%s)', adopted, first_id, ends);
    EXECUTE format('ALTER TABLE rowcast.%I DROP CONSTRAINT IF EXISTS becomes_a_partition', adopted);
    -- The new net's index is to have the old one's name.
    EXECUTE (SELECT format('ALTER INDEX rowcast.%I RENAME TO %I', i.relname, adopted || '_pkey')
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
             WHERE x.indrelid = to_regclass(format('rowcast.%I', adopted)) AND x.indisprimary);
    RETURN QUERY SELECT 'adopted', 'rowcast.' || adopted, format('was the DEFAULT partition, and has ids %s to %s now', first_id, ends - 1);
END
$$;
