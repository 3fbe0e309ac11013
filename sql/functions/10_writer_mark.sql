-- Says "this transaction writes outbox rows", before it draws its first outbox id.
--
-- The order is what the tailer's proof rests on: first the transaction has an xid, then it holds the shared advisory
-- lock that servers see in pg_locks, and only then may it draw an id. So a missing id can only belong to a transaction
-- that was marked when the gap was seen, and once none of those runs any more the id is gone for good.
--
-- A plain expression, which the planner inlines: (SELECT rowcast.mark_writer()) costs one evaluation a statement, and
-- none at all in a statement that turns out to have no rows. 1919907683 is 'rowc'; object 1 is the writers' mark.
CREATE OR REPLACE FUNCTION rowcast.mark_writer() RETURNS boolean
LANGUAGE sql VOLATILE
RETURN pg_current_xact_id() IS NOT NULL AND pg_advisory_xact_lock_shared(1919907683, 1) IS NOT NULL;
