-- "I am asleep": writers who cannot get this lock for themselves ring. Tried, not waited for: writers hold it for an instant each.
SELECT pg_try_advisory_lock_shared(1919907683, 2)
