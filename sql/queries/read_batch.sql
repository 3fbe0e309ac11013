-- One step of the tailer, in one snapshot: changes of access and commands that the step before did not see, new rows, and rows in gaps.
-- $1 the highest id read, $2 and $3 first and last ids of the gaps to look into, $4 the most rows of either kind,
-- $5 the snapshot of the step before (null at the first), $6 and $7 gaps to look into only if one of the transactions $8 has ended: were that
-- asked for separately, a new row could be read before an older event of the same row that is in the gap. $9 from when on commands count where there is no snapshot
-- of the step before, or none that means anything: at the start of another life of the database (null: none do).
--
-- The first row is the header: the timeline, the snapshot, and what came with it; no id. New rows and gaps are two branches, not one OR, since with an OR the planner
-- scans every partition. Rows come in no promised order. If the limit cuts one off, it is found again: what the tailer has not seen is a gap. What is cut off in the gaps is what is above all that was read in them.
SELECT
    rowcast.current_timeline() AS timeline,
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
              -- As above; unlike a change of access, a command of long ago must not be carried out for the sake of safety.
              AND pg_visible_in_snapshot(c.txid, pg_current_snapshot())
              AND c.created_at > clock_timestamp() - interval '1 hour'
            UNION ALL
            SELECT c.* FROM rowcast.commands c WHERE $5::text IS NULL AND c.created_at >= $9::timestamptz
        ) AS unseen
        ORDER BY unseen.created_at
    ) AS commands,
    (NULL::rowcast.outbox).*
UNION ALL
(
    SELECT NULL, NULL, NULL, NULL, NULL, o.*
    FROM (
        SELECT * FROM unnest($2::bigint[], $3::bigint[])
        UNION ALL
        SELECT *
        FROM unnest($6::bigint[], $7::bigint[])
        WHERE EXISTS (
            SELECT FROM unnest($8::text[]) AS writer (xid)
            WHERE pg_visible_in_snapshot(writer.xid::xid8, pg_current_snapshot())
        )
    ) AS gap (first, last)
    CROSS JOIN LATERAL (
        SELECT * FROM rowcast.outbox WHERE id BETWEEN gap.first AND gap.last ORDER BY id LIMIT $4
    ) AS o
    ORDER BY o.id
    LIMIT $4
)
UNION ALL
(
    SELECT NULL, NULL, NULL, NULL, NULL, o.* FROM rowcast.outbox AS o WHERE o.id > $1 ORDER BY o.id LIMIT $4
)
