-- Which open transactions might yet write the event of this id; 10_writer_mark.sql says what the locks mean that they hold. For rowcast.explain(): servers ask
-- the same of all at once (read_marks).
CREATE OR REPLACE FUNCTION rowcast.possible_owners(event_id bigint) RETURNS SETOF text
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH locks AS MATERIALIZED (
        SELECT * FROM pg_locks WHERE granted
    ), said AS (
        SELECT l.virtualtransaction, l.classid::bigint - 1919907683 AS class, l.objid::bigint AS object
        FROM locks AS l
        WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.mode = 'ShareLock'
          AND (l.classid = 1919907683 AND l.objid IN (1, 5, 6) OR l.classid::bigint BETWEEN 1919907684 AND 1919907739)
          AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    ), owners AS (
        SELECT s.virtualtransaction
        FROM said AS s
        GROUP BY s.virtualtransaction
        HAVING bool_or(s.object = 5 AND s.class = 0)
            OR bool_and(s.class = 0 AND s.object = 1)
            OR bool_or(CASE WHEN s.class > 0
                            THEN event_id >= s.object << (s.class + 7)::integer
                             AND (s.object >= 2147483647 OR event_id < s.object + 2 << (s.class + 7)::integer) END)
    )
    SELECT coalesce(
        (SELECT format('process %s of %s', l.pid, concat_ws(', ', coalesce(a.usename, 'somebody'), nullif(a.application_name, ''), 'open since ' || a.xact_start))
         FROM locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
         WHERE l.virtualtransaction = o.virtualtransaction AND l.pid IS NOT NULL LIMIT 1),
        (SELECT format('the prepared transaction %L of %s', p.gid, p.owner)
         FROM locks AS l JOIN pg_prepared_xacts AS p ON p.transaction = l.transactionid
         WHERE l.virtualtransaction = o.virtualtransaction LIMIT 1),
        'a transaction that is just being prepared')
    FROM owners AS o;
END;
