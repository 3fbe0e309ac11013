-- Gives back what try_migration_lock took.
SELECT pg_advisory_unlock(1919907683, 3)
