-- Wakes the servers that sleep. The notification has no payload: it only says "look", the outbox says what.
--
-- PREPARE TRANSACTION fails in a transaction that has notified, so where two-phase commit is possible, or the setting
-- `doorbell` says so, the bell is never rung and servers poll. Everything that writes outbox rows calls this function and
-- none other: how the bell is rung is decided here alone.
CREATE OR REPLACE FUNCTION rowcast.ring_doorbell() RETURNS text
LANGUAGE sql VOLATILE
RETURN CASE
    WHEN rowcast.doorbell_is_on() AND current_setting('max_prepared_transactions') = '0'
    THEN pg_notify('rowcast', '')::text
END;
