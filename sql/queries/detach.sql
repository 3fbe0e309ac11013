-- Removes what attach made on a table.
SELECT rowcast.detach($1::text::regclass)
