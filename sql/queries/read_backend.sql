-- Which process of Postgres serves this session at this moment? Behind a pooler in transaction mode: whichever happens to be free.
SELECT pg_backend_pid() AS pid
