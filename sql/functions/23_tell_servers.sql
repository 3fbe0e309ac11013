-- Tells all servers to do something: the one way into rowcast.commands. Which commands there are is in src/command.rs; a server ignores one that it does not know.
--
-- Nobody is granted this: each command is a function of its own, and that is what is granted.
CREATE OR REPLACE FUNCTION rowcast.tell_servers(command text, arguments jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Not for the reading of this row, but so that a server that is going to sleep waits for it (see 11_doorbell.sql).
    PERFORM rowcast.mark_announcer();
    INSERT INTO rowcast.commands (command, arguments) VALUES (tell_servers.command, tell_servers.arguments);
    PERFORM rowcast.ring_doorbell();
END
$$;
