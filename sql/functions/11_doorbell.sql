-- Wakes the servers that sleep. The notification has no payload: it only says "look", the outbox says what.
--
-- Every transaction that notifies holds one lock of the whole cluster up to the end of its commit, so under load notifications cost more than
-- all of the capture. Hence the bell is only rung when somebody is asleep: a sleeping server holds this lock (object 2 of 'rowc') shared, and
-- whoever gets it for themselves has nobody to wake. One expression, since a cancel between taking and giving back would leak the lock.
--
-- PREPARE TRANSACTION fails in a transaction that has notified, so where two-phase commit is possible, or the setting
-- `doorbell` says so, the bell is never rung and servers poll. Everything that writes outbox rows calls this function and
-- none other: how the bell is rung is decided here alone.

-- Only a restart changes it, and no plan outlives one: declared IMMUTABLE, and not inlined for its search_path, it is asked once for each plan.
CREATE OR REPLACE FUNCTION rowcast.commits_in_two_phases() RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN current_setting('max_prepared_transactions') <> '0';

CREATE OR REPLACE FUNCTION rowcast.ring_doorbell() RETURNS text
LANGUAGE sql VOLATILE
RETURN CASE
    WHEN NOT rowcast.doorbell_is_on() OR rowcast.commits_in_two_phases() THEN NULL
    WHEN pg_try_advisory_lock(1919907683, 2) THEN pg_advisory_unlock(1919907683, 2)::text
    ELSE pg_notify('rowcast', '')::text
END;
