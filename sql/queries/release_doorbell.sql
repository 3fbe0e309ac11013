-- "I am awake": nobody needs to ring for me.
SELECT pg_advisory_unlock_shared(1919907683, 2)
