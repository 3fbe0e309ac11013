SELECT * FROM rowcast.read_ranges($1, $2, $3, $4)
