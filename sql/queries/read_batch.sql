-- One step of the tailer, in one snapshot: changes of access and commands that the step before did not see, new rows, and rows in gaps.
-- $1 the highest id read, $2 and $3 first and last ids of the gaps to look into, $4 the most rows of either kind,
-- $5 the snapshot of the step before (null at the first), $6 transactions that may own gaps which are not looked into: if one of them has ended in this
-- snapshot, an older event of a row may be in its gap than the one that is read as new, and the step has to be taken again with that gap.
-- $7 some time before the step before (null at the first): from then on commands count where its snapshot means nothing, in another life of the database.
--
-- The first row is the header: timeline, the newest life that a server has found, snapshot, what came with it and who of $6 has ended; no id. New rows and gaps are two branches, not one OR, since with an OR the planner
-- scans every partition. Rows come in no promised order. If the limit cuts one off, it is found again: what the tailer has not seen is a gap. What is cut off in the gaps is what is above all that was read in them.
SELECT
    rowcast.current_timeline() AS timeline,
    (SELECT max(e.epoch) FROM rowcast.epochs AS e) AS epoch,
    clock_timestamp() AS read_at,
    pg_current_snapshot()::text AS snapshot,
    ARRAY(
        SELECT DISTINCT c.user_id
        FROM rowcast.access_changes c
        WHERE c.txid >= pg_snapshot_xmin($5::text::pg_snapshot)
          AND NOT pg_visible_in_snapshot(c.txid, $5::text::pg_snapshot)
          -- After a restore the table may hold transaction ids of another cluster, from the future of this one.
          AND pg_visible_in_snapshot(c.txid, pg_current_snapshot())
    ) AS changed_users,
    ARRAY(
        SELECT jsonb_build_object('command', unseen.command, 'arguments', unseen.arguments)::text
        FROM (
            SELECT c.*
            FROM rowcast.commands c
            WHERE c.txid >= pg_snapshot_xmin($5::text::pg_snapshot)
              AND NOT pg_visible_in_snapshot(c.txid, $5::text::pg_snapshot)
              -- As above. A change of access that was restored does no harm, but a command does that comes up when the new cluster reaches its transaction
              -- id. (An hour: a transaction may have been open for long before it committed its command.)
              AND pg_visible_in_snapshot(c.txid, pg_current_snapshot())
              AND c.created_at >= $7::timestamptz - interval '1 hour'
            UNION ALL
            SELECT c.* FROM rowcast.commands c WHERE $5::text IS NULL AND c.created_at >= $7::timestamptz
        ) AS unseen
        ORDER BY unseen.created_at
    ) AS commands,
    ARRAY(
        SELECT owner.xid FROM unnest($6::text[]) AS owner (xid) WHERE pg_visible_in_snapshot(owner.xid::xid8, pg_current_snapshot())
    ) AS ended,
    (NULL::rowcast.outbox).*
UNION ALL
(
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, o.*
    FROM unnest($2::bigint[], $3::bigint[]) AS gap (first, last)
    CROSS JOIN LATERAL (
        SELECT * FROM rowcast.outbox WHERE id BETWEEN gap.first AND gap.last ORDER BY id LIMIT $4
    ) AS o
    ORDER BY o.id
    LIMIT $4
)
UNION ALL
(
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, o.*
    FROM rowcast.outbox AS o
    -- The sequence is looked at after the snapshot was taken: of all that can be seen the ids had been given out by then. Any other was made up by somebody.
    WHERE o.id > $1 AND o.id <= (SELECT q.last_value FROM rowcast.outbox_id_seq AS q)
    ORDER BY o.id
    LIMIT $4
)
