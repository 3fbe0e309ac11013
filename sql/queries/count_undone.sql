-- How many of these events are gone, or are others now: of ids $1, written at $2 (microseconds). What has expired is gone by right.
SELECT count(*) AS undone
FROM unnest($1::bigint[], $2::bigint[]) AS seen (id, written_at)
WHERE seen.id > (SELECT m.expired_through FROM rowcast.maintenance AS m)
  AND NOT EXISTS (
      SELECT FROM rowcast.outbox AS o WHERE o.id = seen.id AND (extract(epoch FROM o.created_at) * 1000000)::bigint = seen.written_at
  )
