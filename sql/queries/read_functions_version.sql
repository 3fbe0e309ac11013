-- Which rowcast wrote the functions that are in the database (null before the first), and the last migration of its tables.
SELECT (SELECT value FROM rowcast.settings WHERE name = 'functions_version') AS version,
       (SELECT coalesce(max(version), 0)::bigint FROM rowcast.schema_history) AS migration
