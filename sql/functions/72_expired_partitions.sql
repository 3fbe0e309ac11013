-- History ends by whole partitions: the lowest ones, once all their ids are decided and their youngest row is older than `kept`. (Ids and
-- created_at rise together but for the moment between drawing an id and writing its row.) What is deleted is recorded first, in the same transaction: whether
-- a client has missed something is read off the record, never guessed from the ids that are left.

-- The partitions that may go, lowest first; some have been emptied before and only wait to be dropped.
CREATE OR REPLACE FUNCTION rowcast.expired_partitions(kept interval) RETURNS TABLE (partition regclass, last_id bigint, is_emptied boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    expired_through bigint := (SELECT m.expired_through FROM rowcast.maintenance m);
    candidate       record;
    youngest        timestamptz;
BEGIN
    FOR candidate IN
        SELECT p.partition, p.last_id FROM rowcast.outbox_partitions p WHERE p.last_id <= rowcast.decided_through() ORDER BY p.first_id
    LOOP
        is_emptied := candidate.last_id <= expired_through;
        IF NOT is_emptied THEN
            EXECUTE format('SELECT created_at FROM ONLY %s ORDER BY id DESC LIMIT 1', candidate.partition) INTO youngest;
            -- A partition without rows has nothing to lose.
            EXIT WHEN kept IS NULL OR youngest >= clock_timestamp() - kept;
        END IF;
        partition := candidate.partition;
        last_id := candidate.last_id;
        RETURN NEXT;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION rowcast.record_expired(through bigint) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE rowcast.maintenance SET expired_through = through WHERE expired_through < through;
END;

-- The caller holds the outbox for itself.
CREATE OR REPLACE FUNCTION rowcast.drop_expired(kept interval) RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    expired record;
    name    text;
BEGIN
    FOR expired IN SELECT * FROM rowcast.expired_partitions(kept) LOOP
        name := expired.partition;
        BEGIN
            -- Everybody waits behind the lock of the caller, so nobody is waited for here.
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT', expired.partition);
            PERFORM rowcast.record_expired(expired.last_id);
            EXECUTE format('DROP TABLE %s', expired.partition);
        EXCEPTION WHEN lock_not_available THEN
            RETURN QUERY SELECT 'postponed', expired.partition::text, 'expired, and to be dropped, but in use ' || rowcast.holders(expired.partition);
            RETURN;
        END;
        RETURN QUERY SELECT 'dropped', name, format('ids up to %s have expired', expired.last_id);
    END LOOP;
END
$$;

-- For as long as the outbox cannot be had: nobody but readers of the partition has to wait. It is dropped later.
CREATE OR REPLACE FUNCTION rowcast.empty_expired(kept interval) RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    expired record;
BEGIN
    FOR expired IN SELECT * FROM rowcast.expired_partitions(kept) e WHERE NOT e.is_emptied LOOP
        BEGIN
            PERFORM rowcast.record_expired(expired.last_id);
            EXECUTE format('TRUNCATE %s', expired.partition);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            RETURN QUERY SELECT 'postponed', expired.partition::text, 'expired, and to be emptied, but in use ' || rowcast.holders(expired.partition);
            RETURN;
        END;
        RETURN QUERY SELECT 'emptied', expired.partition::text, format('ids up to %s have expired', expired.last_id);
    END LOOP;
END
$$;

-- Who keeps a table from being rearranged, for the DBA.
CREATE OR REPLACE FUNCTION rowcast.holders(held regclass) RETURNS text
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce('by process ' || string_agg(DISTINCT l.pid::text, ', '), 'by somebody who is done by now')
    FROM pg_locks l
    WHERE l.locktype = 'relation' AND l.relation = held AND l.granted AND l.pid <> pg_backend_pid()
      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
END;
