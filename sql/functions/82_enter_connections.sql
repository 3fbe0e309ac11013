-- Enters streams that are about to be opened on a server, as many as each user may have on all servers together, after deleting those that have ended there.
-- Returns what is refused: 'connections' (too many are open) or 'rate' (too many were opened lately), and after how many seconds to ask again.
--
-- entering: [{"id", "user_id", "organizations", "event_types"}, …]. Users in order, and the row of take_turn() first: whoever enters the same user
-- elsewhere waits for that row, and counts afterwards what is entered here.
CREATE OR REPLACE FUNCTION rowcast.enter_connections(
    server text, gone text[], entering jsonb, max_per_user integer, connects_per_minute integer
) RETURNS TABLE (id text, refusal text, retry_after double precision)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    -- A client that vanished is found out within a minute or two; one that was closed, at once.
    retry_after_others CONSTANT double precision := 10;
    one  record;
    wait double precision;
BEGIN
    DELETE FROM rowcast.connections c WHERE c.id = ANY (gone);
    FOR one IN
        SELECT * FROM jsonb_to_recordset(entering) AS e (id text, user_id text, organizations text[], event_types text[]) ORDER BY e.user_id, e.id
    LOOP
        wait := rowcast.take_turn(one.user_id, 'connect', connects_per_minute);
        IF wait > 0 THEN
            RETURN QUERY SELECT one.id, 'rate', wait;
        ELSIF (SELECT count(*) FROM rowcast.live_connections c WHERE c.user_id = one.user_id AND c.id <> one.id) >= max_per_user THEN
            RETURN QUERY SELECT one.id, 'connections', retry_after_others;
        ELSE
            INSERT INTO rowcast.connections (id, server, user_id, organizations, event_types)
            VALUES (one.id, server, one.user_id, one.organizations, one.event_types)
            -- Whoever asked may have gone away in the middle of it, and somebody else does it again for those who wait.
            ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
END
$$;
