-- Where a server begins to read, and how far ids have been given out.
SELECT s.id AS settled, q.last_value AS drawn FROM rowcast.settled AS s, rowcast.outbox_id_seq AS q
