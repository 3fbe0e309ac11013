-- Where a server begins to read, and how far ids have been given out (last_value of an untouched sequence is the first that it will give).
SELECT s.id AS settled, q.last_value - (NOT q.is_called)::integer AS drawn FROM rowcast.settled AS s, rowcast.outbox_id_seq AS q
