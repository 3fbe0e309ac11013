-- Whether this server is the one that does this work: it has it already, nobody has it, or whoever had it has not been heard of for 15 s. Who says goodbye gives
-- up what it has (rowcast.forget_server).
--
-- A server is heard of when it says that it is there, every few seconds. After a crash of the database, which forgets all servers, nobody has said so yet: until then
-- a server is heard of when it does its work.
--
-- Called in the transaction that writes what the work has come to, it holds the row until that commits: a server that was away, and to which
-- nobody has said that it lost the duty, writes nothing beside the one that has it now.
CREATE OR REPLACE FUNCTION rowcast.take_duty(duty text, server text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    INSERT INTO rowcast.duties AS d (name, server) VALUES (duty, server)
    ON CONFLICT (name) DO UPDATE
        SET server = excluded.server,
            taken_at = CASE WHEN d.server = excluded.server THEN d.taken_at ELSE clock_timestamp() END,
            done_at = clock_timestamp()
        WHERE d.server = excluded.server
           OR coalesce((SELECT s.seen_at FROM rowcast.servers s WHERE s.id = d.server), d.done_at) < clock_timestamp() - interval '15 s';
    RETURN FOUND;
END
$$;
