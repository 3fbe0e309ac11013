-- Which rowcast wrote the functions that are in the database. Null before the first.
SELECT (SELECT value FROM rowcast.settings WHERE name = 'functions_version') AS version
