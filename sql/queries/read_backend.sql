-- Who serves this session? Behind a pooler in transaction mode: whoever happens to be free.
SELECT pg_backend_pid()
