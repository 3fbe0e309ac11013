-- What a server says every few seconds: that it is there, what it has counted, and which of its streams are other than before. Returns whether it was known.
-- If not (it is new, or the database has crashed and forgotten), it is to say it again with all its streams.
--
-- Deletes what servers have left that have not been heard of for a minute, and what says no more than that a user has not been there for as long.
CREATE OR REPLACE FUNCTION rowcast.keep_server(server text, uptime interval, figures jsonb, changed jsonb) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    kept CONSTANT interval := interval '1 minute';
    known boolean;
BEGIN
    UPDATE rowcast.servers s SET seen_at = clock_timestamp(), figures = keep_server.figures WHERE s.id = server;
    known := FOUND;
    IF NOT known THEN
        INSERT INTO rowcast.servers (id, started_at, figures) VALUES (server, clock_timestamp() - uptime, keep_server.figures);
    END IF;
    INSERT INTO rowcast.connections AS c (id, server, user_id, organizations, event_types, active)
    SELECT e.id, keep_server.server, e.user_id, e.organizations, e.event_types, e.active
    FROM jsonb_to_recordset(changed) AS e (id text, user_id text, organizations text[], event_types text[], active boolean)
    ON CONFLICT (id) DO UPDATE SET organizations = excluded.organizations, event_types = excluded.event_types, active = excluded.active;
    -- Several servers do this, in any order: whoever is first with a row has it.
    DELETE FROM rowcast.servers WHERE id IN (
        SELECT s.id FROM rowcast.servers s WHERE s.seen_at < clock_timestamp() - kept FOR UPDATE SKIP LOCKED);
    DELETE FROM rowcast.connections WHERE id IN (
        SELECT c.id FROM rowcast.connections c
        WHERE c.connected_at < clock_timestamp() - kept AND NOT EXISTS (SELECT FROM rowcast.servers s WHERE s.id = c.server)
        FOR UPDATE SKIP LOCKED);
    DELETE FROM rowcast.rates WHERE (user_id, kind) IN (
        SELECT r.user_id, r.kind FROM rowcast.rates r WHERE r.empty_at < clock_timestamp() - kept FOR UPDATE SKIP LOCKED);
    RETURN known;
END
$$;

-- The last word of a server. What it had to do is for whoever comes next.
CREATE OR REPLACE FUNCTION rowcast.forget_server(server text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    DELETE FROM rowcast.connections c WHERE c.server = forget_server.server;
    DELETE FROM rowcast.servers s WHERE s.id = forget_server.server;
    DELETE FROM rowcast.duties d WHERE d.server = forget_server.server;
END;
