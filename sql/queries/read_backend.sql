-- Which process of Postgres serves this connection at this moment: a pooler in transaction mode may change it.
SELECT pg_backend_pid() AS pid
