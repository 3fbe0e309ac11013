-- Which transactions may still write outbox rows, and with which ids? See sql/functions/10_writer_mark.sql for what the locks say. $1: whether to draw a
-- transaction id too, as an upper bound of all that were drawn before (pg_snapshot_xmax is none: it is the next after the last that ended).
--
-- One row for each, or one without a writer. All these locks are read in one instant, but a transaction that ends lets go of them one by one, and one
-- that is being prepared hands them over one by one, in which case it is here twice: without an id, or without the mark, it is a writer all the same.
WITH locks AS MATERIALIZED (
    SELECT * FROM pg_locks WHERE granted
), said AS (
    SELECT virtualtransaction, classid::bigint - 1919907683 AS class, objid::bigint AS object
    FROM locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND mode = 'ShareLock'
      AND (classid = 1919907683 AND objid IN (1, 5, 6) OR classid::bigint BETWEEN 1919907684 AND 1919907739)
      AND database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
), ranges AS (
    SELECT virtualtransaction,
           CASE WHEN class > 0 THEN object << (class + 7)::integer ELSE 0 END AS first,
           -- The last index stands for all from it on.
           CASE WHEN class > 0 AND object < 2147483647 THEN (object + 2 << (class + 7)::integer) - 1 ELSE 9223372036854775807 END AS last
    FROM said
    WHERE class > 0 OR object = 5
    UNION ALL
    SELECT virtualtransaction, 0, 9223372036854775807 FROM said GROUP BY virtualtransaction HAVING bool_and(class = 0 AND object = 1)
), writers AS (
    SELECT writer.virtualtransaction,
           -- Subtransactions have ids too; the oldest is that of the whole.
           (SELECT l.transactionid::text::bigint
            FROM locks AS l
            WHERE l.virtualtransaction = writer.virtualtransaction AND l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock'
            ORDER BY age(l.transactionid) DESC
            LIMIT 1) AS xid,
           ARRAY(SELECT r.first FROM ranges AS r WHERE r.virtualtransaction = writer.virtualtransaction ORDER BY r.first, r.last) AS firsts,
           ARRAY(SELECT r.last FROM ranges AS r WHERE r.virtualtransaction = writer.virtualtransaction ORDER BY r.first, r.last) AS lasts
    FROM (SELECT DISTINCT virtualtransaction FROM said) AS writer
)
SELECT bound, recent, xid, firsts, lasts
FROM (SELECT CASE WHEN $1::boolean THEN pg_current_xact_id() END AS bound, pg_snapshot_xmax(pg_current_snapshot()) AS recent) AS now
LEFT JOIN writers ON true
