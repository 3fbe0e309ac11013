-- Writes what users did with their streams, as servers tell it.

-- told: [{"id", "at", "action", "organization_id", "user_id", "session_id", "metadata"}, …], in order. gone: [{"id", "at", "reason"}, …], by the id under which its coming
-- was told. A server that cannot know whether it was heard says the same again: nothing is written twice.
CREATE OR REPLACE FUNCTION rowcast.tell_activity(server text, told jsonb, gone jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    WITH happened AS MATERIALIZED (
        SELECT e.*
        FROM ROWS FROM (jsonb_to_recordset(tell_activity.told) AS (
            id text, at timestamptz, action text, organization_id text, user_id text, session_id text, metadata jsonb)) WITH ORDINALITY AS e (
            id, at, action, organization_id, user_id, session_id, metadata, n)
    ), written AS (
        INSERT INTO rowcast.activity (id, created_at, organization_id, user_id, action, session_id, metadata)
        SELECT h.id, h.at, h.organization_id, h.user_id, h.action, h.session_id, h.metadata
        FROM happened h ORDER BY h.n
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    )
    INSERT INTO rowcast.attendance (id, server, session_id, user_id, organization_id, connected_at, transport)
    SELECT h.id, tell_activity.server, h.session_id, h.user_id, h.organization_id, h.at, h.metadata ->> 'transport'
    FROM happened h
    WHERE h.action = 'connected' AND h.session_id IS NOT NULL
      AND h.id IN (SELECT w.id FROM written w);

    UPDATE rowcast.attendance a SET left_at = g.at, reason = g.reason
    FROM jsonb_to_recordset(tell_activity.gone) AS g (id text, at timestamptz, reason text)
    WHERE a.id = g.id AND a.left_at IS NULL;
END
$$;

-- Tells of streams that have gone, those that went first, at most so many. Returns how many. Several servers do this at once, also for each other: whoever takes a row has it.
--
-- A server that was killed says nothing of its streams. They count as gone when it has not been heard of for 15 s and then for 45 s more: rowcast.servers may be empty for
-- a moment after a crash of the database.
CREATE OR REPLACE FUNCTION rowcast.tell_departures(most integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    heard_of CONSTANT text[] := ARRAY(SELECT s.id FROM rowcast.servers s WHERE s.seen_at > clock_timestamp() - interval '15 s');
    told integer;
BEGIN
    UPDATE rowcast.attendance SET missing_since = CASE WHEN server <> ALL (heard_of) THEN clock_timestamp() END
    WHERE id IN (
        SELECT a.id FROM rowcast.attendance a
        WHERE a.left_at IS NULL AND (a.missing_since IS NULL) = (a.server <> ALL (heard_of))
        FOR UPDATE SKIP LOCKED);
    UPDATE rowcast.attendance SET left_at = missing_since, reason = 'server_lost'
    WHERE id IN (
        SELECT a.id FROM rowcast.attendance a
        WHERE a.left_at IS NULL AND a.missing_since < clock_timestamp() - interval '45 s'
        FOR UPDATE SKIP LOCKED);

    WITH going AS (
        SELECT a.id FROM rowcast.attendance a WHERE a.left_at IS NOT NULL ORDER BY a.left_at, a.id LIMIT most FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM rowcast.attendance a USING going g WHERE a.id = g.id
        RETURNING a.*, jsonb_strip_nulls(jsonb_build_object(
            'transport', a.transport, 'reason', a.reason,
            'duration', greatest(round(extract(epoch FROM a.left_at - a.connected_at) * 1000), 0))) AS metadata
    ), written AS (
        INSERT INTO rowcast.activity (id, created_at, organization_id, user_id, action, session_id, metadata)
        SELECT g.id || '-end', g.left_at, g.organization_id, g.user_id, 'disconnected', g.session_id, g.metadata
        FROM gone g ORDER BY g.left_at, g.id
    )
    SELECT count(*) INTO told FROM gone;
    RETURN told;
END
$$;
