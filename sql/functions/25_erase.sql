-- The right to be forgotten: what events say of a row becomes {"erased": true}, in the outbox and in the memory of every server. Returns how many events that were.
--
-- Erases what has committed. Delete the row first, and commit: the DELETE is an event too, and says what the row was. Then erase, and again where
-- other rows tell of the same person. What browsers have already been sent is with them.
--
-- Reads all of the outbox, since no index leads from a row to its events: such an index would cost every write, for an act that is rare. Some seconds for ten
-- million events; nobody waits for it, writers least of all.
CREATE OR REPLACE FUNCTION rowcast.erase(source text, source_key text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    erased_data CONSTANT jsonb := '{"erased": true}';
    erased bigint;
BEGIN
    IF source IS NULL OR source_key IS NULL THEN
        RAISE EXCEPTION 'source and source_key must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Look them up in rowcast.outbox; the key is text.';
    END IF;
    UPDATE rowcast.outbox o SET data = erased_data
    WHERE o.source = source AND o.source_key = source_key AND o.data <> erased_data;
    GET DIAGNOSTICS erased = ROW_COUNT;
    -- Even if there were none: servers may remember what has expired.
    PERFORM rowcast.tell_servers('erase', jsonb_build_object('source', source, 'source_key', source_key));
    RETURN erased;
END
$$;

COMMENT ON FUNCTION rowcast.erase(text, text) IS 'Replaces the data of all events of a row by {"erased": true}, on every server too.';

-- Not for rowcast_writer: who owns one attached table has no business with the events of another.
GRANT EXECUTE ON FUNCTION rowcast.erase(text, text) TO rowcast_server;
