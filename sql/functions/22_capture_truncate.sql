-- TRUNCATE is one event without a key or data, for everybody: what was there is gone, whoever saw it should look again.
--
-- Truncating a partitioned table fires the triggers of its partitions too. So a TRUNCATE that follows one, with no other
-- event of the session in between, is not told again: nothing can have become visible since. Which ones were told is noted for the length of the
-- transaction, together with the id that the last of them drew.
CREATE OR REPLACE FUNCTION rowcast.capture_truncate(attachment text, event_type text, source text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    note  text[] := string_to_array(nullif(current_setting('rowcast.truncated', true), ''), ' ');
    event_id bigint;
BEGIN
    IF note[1] IS DISTINCT FROM (CASE WHEN note IS NOT NULL THEN currval('rowcast.outbox_id_seq') END)::text THEN
        note := NULL;
    END IF;
    IF attachment = ANY (note) THEN
        RETURN false;
    END IF;
    event_id := rowcast.open_window();
    event_id := rowcast.draw_id(event_id);
    INSERT INTO rowcast.outbox (id, event_type, audience, source, operation, data)
    VALUES (event_id, event_type, 'platform', source, 'TRUNCATE', '{}');
    PERFORM set_config('rowcast.truncated', concat_ws(' ', event_id, array_to_string(note[2:], ' '), attachment), true);
    RETURN true;
END
$$;
