-- The partitions of the outbox, from the catalogs, for people and for maintenance. The DEFAULT one has no ids of its own.
CREATE OR REPLACE VIEW rowcast.outbox_partitions AS
SELECT c.oid::pg_catalog.regclass AS partition,
       bound.ids[1]::bigint AS first_id,
       bound.ids[2]::bigint - 1 AS last_id,
       pg_catalog.pg_relation_size(c.oid) AS bytes,
       EXISTS (
           SELECT FROM pg_catalog.pg_index i
           WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 2
             AND pg_catalog.pg_get_indexdef(i.indexrelid, 1, true) = 'organization_id'
             AND pg_catalog.pg_get_indexdef(i.indexrelid, 2, true) = 'id'
       ) AS indexed
FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid
CROSS JOIN LATERAL (
    SELECT pg_catalog.regexp_match(pg_catalog.pg_get_expr(c.relpartbound, c.oid), '^FOR VALUES FROM \(''(\d+)''\) TO \(''(\d+)''\)$') AS ids
) bound
WHERE h.inhparent = 'rowcast.outbox'::pg_catalog.regclass;

COMMENT ON VIEW rowcast.outbox_partitions IS 'The partitions of the outbox. outbox_default is the net for ids that have none; rowcast.maintain() empties it.';
COMMENT ON COLUMN rowcast.outbox_partitions.bytes IS 'Without indexes and TOAST: see pg_total_relation_size(partition).';
COMMENT ON COLUMN rowcast.outbox_partitions.indexed IS 'Whether it has the index on (organization_id, id) that partitions get when all their ids are decided.';
