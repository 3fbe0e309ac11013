-- What the life that ended has left behind here: the highest of its ids, and the ranges of ids up to it that are missing and may yet have been seen by clients.
--
-- Of what is settled it is known which ids there were. What is not may be of this life already, for it is found late and writers do not wait. If $1, this life
-- began with the promotion of a standby of the last one, and what that had replayed by then is told by its time: all of it was written before its last
-- commit. This is the one place where clocks are compared: those of the two machines must differ by less than the failover took. (The time is null if
-- Postgres has been restarted since, and what is not settled is then taken for lost.)
WITH undecided AS (
    SELECT lower(range) AS first, upper(range) - 1 AS last FROM rowcast.settled, unnest(undecided) AS range
), left_behind AS MATERIALIZED (
    SELECT o.id
    FROM undecided AS u
    CROSS JOIN LATERAL (
        SELECT id
        FROM rowcast.outbox
        WHERE $1::boolean AND id BETWEEN u.first AND coalesce(u.last, 9223372036854775807)
          AND created_at <= pg_last_xact_replay_timestamp()
    ) AS o
), head AS (
    SELECT greatest((SELECT max(id) FROM left_behind), (SELECT max(first) - 1 FROM undecided)) AS id
), missing AS (
    SELECT range
    FROM rowcast.settled, unnest(
        undecided * int8multirange(int8range(NULL, (SELECT id FROM head), '(]'))
        - coalesce((SELECT range_agg(int8range(id, id, '[]')) FROM left_behind), '{}')) AS range
)
SELECT
    (SELECT id FROM head) AS high,
    ARRAY(SELECT lower(range) FROM missing ORDER BY range) AS firsts,
    ARRAY(SELECT upper(range) - 1 FROM missing ORDER BY range) AS lasts
