-- Forced logout: ends the streams of a user on every server.
--
-- Takes nothing away but the user's tickets, with which a browser's own EventSource would come straight back. Who still has a good token and access
-- may connect again, so see to those first.
CREATE OR REPLACE FUNCTION rowcast.disconnect(user_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF user_id IS NULL THEN
        RAISE EXCEPTION 'user_id must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Call it for each user whose streams are to end.';
    END IF;
    DELETE FROM rowcast.tickets t WHERE t.user_id = disconnect.user_id;
    PERFORM rowcast.tell_servers('disconnect', jsonb_build_object('user_id', user_id));
END
$$;

COMMENT ON FUNCTION rowcast.disconnect(text) IS 'Ends the streams of this user on every server.';
