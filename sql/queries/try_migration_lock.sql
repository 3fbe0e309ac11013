-- Tried again and again rather than waited for: a session blocked in pg_advisory_lock holds a snapshot, and
-- CREATE INDEX CONCURRENTLY in another session would wait for it until the deadlock detector kills one of them.
SELECT pg_try_advisory_lock(1919907683, 3)
