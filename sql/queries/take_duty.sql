-- Whether this server ($2) is the one that does this work.
SELECT rowcast.take_duty($1, $2) AS taken
