-- Remembers that every id is decided but those from $1 to $2 (first and last ids of ranges; no last id: without end). Servers report in any order, and
-- what one of them has decided is decided: what is left is what all of them miss. Not in another life of the database
-- than timeline $3, to which a pooler may have brought us since: there the same ids are still to come.
WITH missed AS (
    SELECT range_agg(int8range(range.first, range.last, '[]')) AS ids FROM unnest($1::bigint[], $2::bigint[]) AS range (first, last)
)
UPDATE rowcast.settled AS s
SET undecided = s.undecided * missed.ids
FROM missed
WHERE NOT s.undecided <@ missed.ids AND rowcast.current_timeline() = $3
