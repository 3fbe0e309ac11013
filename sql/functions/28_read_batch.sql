-- One step of the tailer, in one snapshot: changes of access and commands that the step before did not see, new rows, and rows in gaps.
-- high: the highest id read. firsts and lasts: of the gaps to look into. most: rows of either kind.
-- snapshot_before: of the step before, null at the first. sleeping: transactions that may own gaps which are not looked into: if one of them has ended in this
-- snapshot, an older event of a row may be in its gap than the one that is read as new, and the step has to be taken again with that gap.
-- commands_since: some time before the step before, null at the first: from then on commands count where its snapshot means nothing, in another life of the database.
--
-- The first row is the header: timeline, the newest life that a server has found, snapshot, what came with it and who of sleeping has ended; no id. New rows and gaps are two branches, not one OR, since with an OR the planner
-- scans every partition. Rows come in no promised order. If the limit cuts one off, it is found again: what the tailer has not seen is a gap. What is cut off in the gaps is what is above all that was read in them.
--
-- A function for its plan alone. Prepared by a server, the statement was planned anew each time for the sake of its numbers, which took three times as long as to run it; a server under load takes hundreds of steps a second. The one
-- plan that fits all reads by indexes only, however large the tables were when it was made; the sequence can only be scanned, which then looks so dear that it would be compiled.
CREATE OR REPLACE FUNCTION rowcast.read_batch(
    high            bigint,
    firsts          bigint[],
    lasts           bigint[],
    most            bigint,
    snapshot_before text,
    sleeping        text[],
    commands_since  timestamptz
) RETURNS TABLE (
    timeline bigint, epoch integer, read_at timestamptz, snapshot text, changed_users text[], commands text[], ended text[],
    id bigint, txid xid8, created_at timestamptz, event_type text, audience text, organization_id text, user_id text, chatbot_id text,
    session_id text, source text, source_key text, operation text, priority text, data jsonb
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT
        rowcast.current_timeline() AS timeline,
        (SELECT max(e.epoch) FROM rowcast.epochs AS e) AS epoch,
        clock_timestamp() AS read_at,
        pg_current_snapshot()::text AS snapshot,
        ARRAY(
            SELECT DISTINCT c.user_id
            FROM rowcast.access_changes c
            WHERE c.txid >= pg_snapshot_xmin(read_batch.snapshot_before::pg_snapshot)
              AND NOT pg_visible_in_snapshot(c.txid, read_batch.snapshot_before::pg_snapshot)
              -- After a restore the table may hold transaction ids of another cluster, from the future of this one.
              AND pg_visible_in_snapshot(c.txid, pg_current_snapshot())
        ) AS changed_users,
        ARRAY(
            SELECT jsonb_build_object('command', unseen.command, 'arguments', unseen.arguments)::text
            FROM (
                SELECT c.*
                FROM rowcast.commands c
                WHERE c.txid >= pg_snapshot_xmin(read_batch.snapshot_before::pg_snapshot)
                  AND NOT pg_visible_in_snapshot(c.txid, read_batch.snapshot_before::pg_snapshot)
                  -- As above. A change of access that was restored does no harm, but a command does that comes up when the new cluster reaches its transaction
                  -- id. (An hour: a transaction may have been open for long before it committed its command.)
                  AND pg_visible_in_snapshot(c.txid, pg_current_snapshot())
                  AND c.created_at >= read_batch.commands_since - interval '1 hour'
                UNION ALL
                SELECT c.* FROM rowcast.commands c WHERE read_batch.snapshot_before IS NULL AND c.created_at >= read_batch.commands_since
            ) AS unseen
            ORDER BY unseen.created_at
        ) AS commands,
        ARRAY(
            SELECT owner.xid FROM unnest(read_batch.sleeping) AS owner (xid) WHERE pg_visible_in_snapshot(owner.xid::xid8, pg_current_snapshot())
        ) AS ended,
        (NULL::rowcast.outbox).*
    UNION ALL
    (
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, o.*
        FROM unnest(read_batch.firsts, read_batch.lasts) AS gap (first, last)
        CROSS JOIN LATERAL (
            SELECT * FROM rowcast.outbox WHERE id BETWEEN gap.first AND gap.last ORDER BY id LIMIT read_batch.most
        ) AS o
        ORDER BY o.id
        LIMIT read_batch.most
    )
    UNION ALL
    (
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, o.*
        FROM rowcast.outbox AS o
        -- The sequence is looked at after the snapshot was taken: of all that can be seen the ids had been given out by then. Any other was made up by somebody.
        WHERE o.id > read_batch.high AND o.id <= (SELECT q.last_value FROM rowcast.outbox_id_seq AS q)
        ORDER BY o.id
        LIMIT read_batch.most
    );
END
$$;
