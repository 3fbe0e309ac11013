-- Whether this server is the one that does this work: it has it already, nobody has it, or whoever had it is gone (it said goodbye, or has not been heard of
-- for 15 s).
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
           OR NOT EXISTS (SELECT FROM rowcast.servers s WHERE s.id = d.server AND s.seen_at > clock_timestamp() - interval '15 s');
    RETURN FOUND;
END
$$;
