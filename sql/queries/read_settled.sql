-- Where a server begins to read: first and last ids of what is undecided (no last id: without end). How far ids have been given out (last_value of an
-- untouched sequence is the first that it will give), up to where they have been deleted for their age, and what texts are made of.
SELECT
    ARRAY(SELECT lower(range) FROM unnest(s.undecided) AS range ORDER BY range) AS firsts,
    ARRAY(SELECT upper(range) - 1 FROM unnest(s.undecided) AS range ORDER BY range) AS lasts,
    q.last_value - (NOT q.is_called)::integer AS drawn,
    m.expired_through,
    getdatabaseencoding()::text AS encoding
FROM rowcast.settled AS s, rowcast.outbox_id_seq AS q, rowcast.maintenance AS m
