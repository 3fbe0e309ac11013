-- Which transactions may still write outbox rows? Those that hold the writer mark. $1: whether to draw a transaction id too, as an upper bound of
-- all that were drawn before (pg_snapshot_xmax is none: it is the next after the last that ended).
-- A mark without a transaction id is of one that is being prepared or is just ending: the lock table is not read in one instant.
WITH locks AS MATERIALIZED (SELECT * FROM pg_locks WHERE granted)
SELECT
    CASE WHEN $1::boolean THEN pg_current_xact_id() END AS bound,
    pg_snapshot_xmax(pg_current_snapshot()) AS recent,
    ARRAY(
        SELECT owner.transactionid::text::bigint
        FROM locks AS mark
        LEFT JOIN locks AS owner
            ON owner.locktype = 'transactionid' AND owner.mode = 'ExclusiveLock'
            AND owner.virtualtransaction = mark.virtualtransaction
        WHERE mark.locktype = 'advisory' AND mark.classid = 1919907683 AND mark.objid = 1 AND mark.objsubid = 2
          AND mark.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    ) AS writers
