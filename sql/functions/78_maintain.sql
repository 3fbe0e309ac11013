-- Keeps house. Callable by the server and from cron, as often as you like: SELECT * FROM rowcast.maintain(). One row for each thing that was done, and for
-- each that was put off ("postponed": a lock could not be had; the next call tries again).
--
-- A lock is waited for at most 50 ms, because while we wait for one, everybody who comes later waits behind us. And once a lock is held that
-- could make anybody wait, the call does what is quick under that lock and ends: locks go with the transaction. So it goes on in the next call; call
-- again as long as something other than 'postponed' comes.

-- What only goes while nobody else uses the outbox. Making partitions could do with less: ATTACH lets writers pass. But a transaction that
-- has written before, and draws an id of the new partition after, has its old picture of the partitions still, puts the row into DEFAULT, and *fails*. So we wait
-- (50 ms, and at the next call) until nobody is in the middle of writing. Should that take until the partitions are full, DEFAULT catches the rows.
CREATE OR REPLACE FUNCTION rowcast.rearrange_outbox(kept interval) RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    net     record;
    steps   rowcast.maintenance_step[] := '{}';
BEGIN
    -- Kept in a variable, since what is RETURNed stays returned when the block fails.
    BEGIN
        LOCK TABLE ONLY rowcast.outbox IN ACCESS EXCLUSIVE MODE;
        SELECT * INTO net FROM rowcast.default_state();
        IF net.partition IS NOT NULL THEN
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT', net.partition);
            -- Looked at before, from afar.
            SELECT * INTO net FROM rowcast.default_state();
        END IF;
        steps := ARRAY(SELECT rowcast.drop_expired(kept));
        IF net.is_ready THEN
            steps := steps || ARRAY(SELECT rowcast.adopt_default());
            net.is_out_of_the_way := true;
        END IF;
        IF coalesce(net.is_out_of_the_way, true) THEN
            steps := steps || ARRAY(SELECT rowcast.extend_outbox());
        END IF;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
        steps := ARRAY[ROW('postponed', 'rowcast.outbox', 'to be rearranged, but in use ' || rowcast.holders('rowcast.outbox'))::rowcast.maintenance_step];
    END;
    RETURN QUERY SELECT * FROM unnest(steps);
END
$$;

-- Steps after which the transaction has to end.
CREATE OR REPLACE FUNCTION rowcast.locking_steps(kept interval) RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    net   record;
    steps rowcast.maintenance_step[] := '{}';
BEGIN
    SELECT * INTO net FROM rowcast.default_state();
    IF EXISTS (SELECT FROM rowcast.expired_partitions(kept))
       OR net.is_ready
       OR coalesce(net.is_out_of_the_way, true) AND rowcast.runs_short() THEN
        steps := ARRAY(SELECT rowcast.rearrange_outbox(kept));
    END IF;
    IF rowcast.only_postponed(steps) THEN
        steps := steps || ARRAY(SELECT rowcast.empty_expired(kept));
    END IF;
    IF rowcast.only_postponed(steps) AND net.is_adoptable AND NOT net.is_small AND net.is_limited IS NOT TRUE THEN
        steps := steps || ARRAY(SELECT rowcast.limit_default());
    END IF;
    RETURN QUERY SELECT * FROM unnest(steps);
END
$$;

-- Steps that keep nobody waiting.
CREATE OR REPLACE FUNCTION rowcast.patient_steps(kept interval) RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    net record;
BEGIN
    SELECT * INTO net FROM rowcast.default_state();
    IF net.is_limited AND NOT net.is_proved THEN
        RETURN QUERY SELECT * FROM rowcast.prove_limit();
    END IF;
    IF net.first_id < rowcast.next_first_id() THEN
        RETURN QUERY SELECT 'postponed', net.partition::text,
            format('holds ids from %s on, whose partition was removed by hand: delete them, or see docs/retention.md', net.first_id);
    END IF;
    RETURN QUERY SELECT * FROM rowcast.delete_expired(kept);
    RETURN QUERY SELECT * FROM rowcast.prune(kept);
    RETURN QUERY SELECT * FROM rowcast.index_closed();
END
$$;

CREATE OR REPLACE FUNCTION rowcast.only_postponed(steps rowcast.maintenance_step[]) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM unnest(steps) s WHERE s.action <> 'postponed');
END;

-- `retention` is what the setting of that name is set to first (the server passes ROWCAST_RETENTION); null leaves it.
CREATE OR REPLACE FUNCTION rowcast.maintain(retention text DEFAULT NULL) RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '50ms'
SET client_min_messages = warning
AS $$
DECLARE
    steps rowcast.maintenance_step[];
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'rowcast.maintain() has to see what has been committed meanwhile'
            USING ERRCODE = 'invalid_transaction_state', HINT = 'Call it in a READ COMMITTED transaction, best in one of its own.';
    ELSIF NOT pg_try_advisory_xact_lock(1919907683, 4) THEN
        RETURN QUERY SELECT 'skipped', 'rowcast.outbox', 'somebody else is maintaining it at this moment';
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM rowcast.keep_retention_setting(retention);
    UPDATE rowcast.maintenance SET maintained_at = clock_timestamp();
    steps := ARRAY(SELECT rowcast.locking_steps(rowcast.retention()));
    RETURN QUERY SELECT * FROM unnest(steps);
    IF rowcast.only_postponed(steps) THEN
        RETURN QUERY SELECT * FROM rowcast.patient_steps(rowcast.retention());
    END IF;
END
$$;
