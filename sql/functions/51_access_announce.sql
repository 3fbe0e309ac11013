-- Says that the access of some users may have changed: "read it again", never what changed.
--
-- The one way into rowcast.access_changes. The row is written in the transaction of the change itself, so a server that can see the
-- revocation can see the row, in the same snapshot. The triggers on watched tables run as those tables' owners, who hold no
-- right on access_changes but the right to call this: the worst that comes of it is a needless re-read.
CREATE OR REPLACE FUNCTION rowcast.announce_access_change(user_ids text[], reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- One "anybody" is cheaper for the servers than this many single users.
    most_named CONSTANT integer := 1000;
BEGIN
    IF cardinality(user_ids) > most_named OR array_position(user_ids, NULL) IS NOT NULL THEN
        user_ids := ARRAY[NULL::text];
    END IF;
    -- Not for the reading of this row, but so that a server that is going to sleep waits for it (see 11_doorbell.sql).
    PERFORM rowcast.mark_announcer();
    INSERT INTO rowcast.access_changes (user_id, reason)
    SELECT DISTINCT u.user_id, announce_access_change.reason FROM unnest(user_ids) AS u (user_id);
    IF FOUND THEN
        PERFORM rowcast.ring_doorbell();
    END IF;
END
$$;

COMMENT ON FUNCTION rowcast.announce_access_change(text[], text) IS
    'The access of these users may have changed; an array with a NULL in it means anybody''s.';
