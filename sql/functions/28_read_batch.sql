-- One step of the tailer, in one snapshot: changes of access and commands that the step before did not see, new rows, and rows in gaps.
-- high: the highest id read. firsts and lasts: of the gaps to look into. most: rows of either kind.
-- snapshot_before: of the step before, null at the first. sleeping: transactions that may own gaps which are not looked into: if one of them has ended in this
-- snapshot, an older event of a row may be in its gap than the one that is read as new, and the step has to be taken again with that gap.
-- commands_since: some time before the step before, null at the first: from then on commands count where its snapshot means nothing, in another life of the database.
--
-- The first row is the header: timeline, the newest life that a server has found, snapshot, what came with it and who of sleeping has ended; no id. Rows come in no promised order. If the limit cuts one off, it is found again: what
-- the tailer has not seen is a gap. What is cut off in the gaps is what is above all that was read in them.
--
-- A function for its plans. Prepared by a server, one statement for all of this was planned anew each time for the sake of its numbers, which took three times as long as to run it; a server under load takes hundreds of steps a
-- second. Plans that fit all read by indexes only, however large the tables were when they were made; the sequence can only be scanned, which then looks so dear that it would be compiled.
-- Several statements: what a plan costs is to set it up, also where it finds nothing, and mostly only the last one has something to find. STABLE: they all read in the snapshot of whoever calls this.
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
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    seen_before CONSTANT pg_snapshot := snapshot_before;
    seen_now CONSTANT pg_snapshot := pg_current_snapshot();
    recent CONSTANT xid8 := pg_snapshot_xmin(seen_before);
    access_has_changed boolean;
    was_told boolean;
    drawn bigint;
BEGIN
    -- The sequence is looked at after the snapshot was taken: of all that can be seen the ids had been given out by then. Any other was made up by somebody.
    SELECT
        rowcast.current_timeline(),
        (SELECT max(e.epoch) FROM rowcast.epochs AS e),
        EXISTS (SELECT FROM rowcast.access_changes AS c WHERE c.txid >= recent),
        EXISTS (SELECT FROM rowcast.commands AS c WHERE c.txid >= recent),
        q.last_value
    INTO timeline, epoch, access_has_changed, was_told, drawn
    FROM rowcast.outbox_id_seq AS q;
    read_at := clock_timestamp();
    snapshot := seen_now;
    changed_users := '{}';
    commands := '{}';
    ended := '{}';
    IF access_has_changed THEN
        changed_users := ARRAY(
            SELECT DISTINCT c.user_id
            FROM rowcast.access_changes c
            WHERE c.txid >= recent
              AND NOT pg_visible_in_snapshot(c.txid, seen_before)
              -- After a restore the table may hold transaction ids of another cluster, from the future of this one.
              AND pg_visible_in_snapshot(c.txid, seen_now)
        );
    END IF;
    IF was_told OR seen_before IS NULL THEN
        commands := ARRAY(
            SELECT jsonb_build_object('command', unseen.command, 'arguments', unseen.arguments)::text
            FROM (
                SELECT c.*
                FROM rowcast.commands c
                WHERE c.txid >= recent
                  AND NOT pg_visible_in_snapshot(c.txid, seen_before)
                  -- As above. A change of access that was restored does no harm, but a command does that comes up when the new cluster reaches its transaction
                  -- id. (An hour: a transaction may have been open for long before it committed its command.)
                  AND pg_visible_in_snapshot(c.txid, seen_now)
                  AND c.created_at >= read_batch.commands_since - interval '1 hour'
                UNION ALL
                SELECT c.* FROM rowcast.commands c WHERE seen_before IS NULL AND c.created_at >= read_batch.commands_since
            ) AS unseen
            ORDER BY unseen.created_at
        );
    END IF;
    IF sleeping <> '{}' THEN
        ended := ARRAY(
            SELECT owner.xid FROM unnest(read_batch.sleeping) AS owner (xid) WHERE pg_visible_in_snapshot(owner.xid::xid8, seen_now)
        );
    END IF;
    RETURN NEXT;
    -- Apart from what is new: with an OR every partition would be scanned.
    IF firsts <> '{}' THEN
        RETURN QUERY
        SELECT NULL::bigint, NULL::integer, NULL::timestamptz, NULL::text, NULL::text[], NULL::text[], NULL::text[], o.*
        FROM unnest(read_batch.firsts, read_batch.lasts) AS gap (first, last)
        CROSS JOIN LATERAL (
            SELECT * FROM rowcast.outbox WHERE id BETWEEN gap.first AND gap.last ORDER BY id LIMIT read_batch.most
        ) AS o
        ORDER BY o.id
        LIMIT read_batch.most;
    END IF;
    RETURN QUERY
    SELECT NULL::bigint, NULL::integer, NULL::timestamptz, NULL::text, NULL::text[], NULL::text[], NULL::text[], o.*
    FROM rowcast.outbox AS o
    -- Known beforehand, both of them: partitions of ids that nobody has drawn are not even opened.
    WHERE o.id BETWEEN read_batch.high + 1 AND drawn
    ORDER BY o.id
    LIMIT read_batch.most;
END
$$;
