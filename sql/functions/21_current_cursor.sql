-- "Load, then stream": an app reads its tables and this cursor in one REPEATABLE READ transaction, and streams from the
-- cursor. Whatever the snapshot could see is in the tables, whatever it could not see comes with the stream.
--
-- N~a.b-c@e: everything up to N, but a and b to c, in life e of the database (left out for the first). N is the highest outbox id that the caller's own snapshot sees, or the highest that is settled. What is
-- undecided below it and not seen belongs to a transaction still open (or rolled back, which this function need not tell apart), and is a gap. An id that is
-- settled was visible to some server, or will never be, before that server stored so: a snapshot that sees what was stored sees the row too. An older
-- snapshot sees an older version of what is settled, and so a gap. Locks say nothing about what a snapshot sees: they are not asked.
--
-- A cursor names 64 gaps. Where there are more, those that lie nearest to each other are made one: that repeats what lies between them, and loses nothing.
--
-- Ids that the sequence has not given out were made up by somebody (an owner of an attached table may write any), and are not looked at, as by servers.
--
-- STABLE, so that it sees with the snapshot of the statement that calls it. Draws no id and takes no xid: it works in a READ ONLY transaction. SECURITY
-- DEFINER, because it tells ids and nothing else, and its callers need not see the outbox.
CREATE OR REPLACE FUNCTION rowcast.current_cursor() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- The planner knows nothing of what is in a multirange, and takes a good part of the outbox for what is above its start: not worth a scan, nor a second of compiling.
SET enable_seqscan = off
SET jit = off
BEGIN ATOMIC
    WITH undecided AS (
        SELECT lower(range) AS first, upper(range) - 1 AS last FROM rowcast.settled, unnest(undecided) AS range
    ), seen AS MATERIALIZED (
        SELECT o.id
        FROM undecided u
        CROSS JOIN LATERAL (SELECT id FROM rowcast.outbox WHERE id BETWEEN u.first AND coalesce(u.last, (SELECT q.last_value FROM rowcast.outbox_id_seq q))) o
    ), head AS (
        SELECT greatest((SELECT max(id) FROM seen), (SELECT max(first) - 1 FROM undecided)) AS id
    ), missing AS (
        SELECT lower(range) AS first, upper(range) - 1 AS last, lower(range) - lag(upper(range)) OVER (ORDER BY range) AS apart
        FROM rowcast.settled, unnest(
            undecided * int8multirange(int8range(NULL, (SELECT id FROM head), '(]'))
            - coalesce((SELECT range_agg(int8range(id, id, '[]')) FROM seen), '{}')) AS range
    ), ranked AS (
        SELECT first, last, row_number() OVER (ORDER BY apart DESC NULLS LAST, first) < 64 AS stands_apart FROM missing
    ), numbered AS (
        SELECT first, last, count(*) FILTER (WHERE stands_apart) OVER (ORDER BY first) AS gap FROM ranked
    ), gaps AS (
        SELECT min(first) AS first, max(last) AS last FROM numbered GROUP BY gap
    )
    SELECT concat_ws('~', (SELECT id FROM head),
                     string_agg(CASE WHEN first = last THEN first::text ELSE first || '-' || last END, '.' ORDER BY first))
           || coalesce('@' || nullif(rowcast.current_epoch(), 0), '')
    FROM gaps;
END;
