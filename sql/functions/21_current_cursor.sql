-- "Load, then stream": an app reads its tables and this cursor in one REPEATABLE READ transaction, and streams from the
-- cursor. Whatever the snapshot could see is in the tables, whatever it could not see comes with the stream.
--
-- N~a.b-c@e: everything up to N, but a and b to c, in the life e of the database (left out for the first). N is the highest outbox id that the caller's own snapshot sees; an id
-- that is missing between the settled floor and N belongs to a transaction still open (or rolled back, which this
-- function need not tell apart), and is a gap. Ids up to the floor are decided: the servers have seen to that.
-- More than 64 ranges would make the cursor unwieldy; it then falls back to the id below the first gap, which repeats
-- some events and loses none. Locks say nothing about what a snapshot sees, so they are not asked.
--
-- STABLE, so that it sees with the snapshot of the statement that calls it. Draws no id and takes no xid: it works in a READ ONLY transaction. SECURITY
-- DEFINER, because it tells ids and nothing else, and its callers need not see the outbox.
CREATE OR REPLACE FUNCTION rowcast.current_cursor() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- The planner cannot know how near the floor is, and takes a third of the outbox for what is above it: not worth a scan, nor a second of compiling.
SET enable_seqscan = off
SET jit = off
BEGIN ATOMIC
    WITH floor AS (
        SELECT id FROM rowcast.settled
    ), seen AS (
        SELECT id FROM floor
        UNION ALL
        SELECT o.id FROM rowcast.outbox o WHERE o.id > (SELECT id FROM floor)
    ), missing AS (
        SELECT previous + 1 AS first, id - 1 AS last
        FROM (SELECT id, lag(id) OVER (ORDER BY id) AS previous FROM seen) steps
        WHERE id > previous + 1
        ORDER BY id
        LIMIT 65
    ), gaps AS (
        SELECT count(*) AS ranges,
               min(first) AS lowest,
               string_agg(CASE WHEN first = last THEN first::text ELSE first || '-' || last END, '.' ORDER BY first) AS list
        FROM missing
    )
    SELECT CASE
               WHEN ranges = 0 THEN head::text
               WHEN ranges > 64 THEN (lowest - 1)::text
               ELSE head || '~' || list
           END
           || coalesce('@' || nullif(rowcast.current_epoch(), 0), '')
    FROM gaps, (SELECT max(id) AS head FROM seen) heads;
END;
