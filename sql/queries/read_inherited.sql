-- What the life that ended has left behind here: the highest of its ids, and the ranges of ids up to it that are missing and may yet have been seen by
-- clients. At most $2 ranges, the lowest; then the answer ends below the next, for who has seen more must be taken to have seen what is lost.
--
-- Up to the settled floor it is known which ids there were. What is above it may be of this life already, for it is found late and writers do not wait. If
-- $1, this life began with the promotion of a standby of the last one, and what that had replayed by then is told by its time: all of it was written
-- before its last commit. This is the one place where clocks are compared: those of the two machines must differ by less than the failover took.
-- (The time is null if Postgres has been restarted since, and what is above the floor is then taken for lost.)
WITH floor AS (
    SELECT id FROM rowcast.settled
), left_behind AS (
    SELECT id FROM floor
    UNION ALL
    SELECT o.id
    FROM rowcast.outbox AS o
    WHERE $1::boolean AND o.id > (SELECT id FROM floor) AND o.created_at <= pg_last_xact_replay_timestamp()
), missing AS (
    SELECT previous + 1 AS first, id - 1 AS last
    FROM (SELECT id, lag(id) OVER (ORDER BY id) AS previous FROM left_behind) AS steps
    WHERE id > previous + 1
    ORDER BY id
    LIMIT $2::bigint + 1
), beyond AS (
    SELECT first - 1 AS id FROM missing ORDER BY first OFFSET $2::bigint
)
SELECT
    coalesce((SELECT id FROM beyond), (SELECT max(id) FROM left_behind)) AS high,
    ARRAY(SELECT first FROM missing ORDER BY first LIMIT $2::bigint) AS firsts,
    ARRAY(SELECT last FROM missing ORDER BY first LIMIT $2::bigint) AS lasts
