-- What a transaction says of itself before it draws an outbox id: locks that servers see in pg_locks, shared, and held to its end.
--
-- The order is what the tailer's proof rests on: first the transaction has an xid, then it says which ids it may own, and only then may it draw. So a
-- missing id can only belong to a transaction that had said so when the gap was seen, and once none of those runs any more the id is gone for good.
--
-- Lock (1919907683, 1) is the mark: "may write outbox rows, or a change of access"; 1919907683 is 'rowc'. What a marked transaction holds beside it
-- says which ids may be its own:
--
--   windows (12_windows.sql)   those in them
--   (1919907683, 5)            any
--   (1919907683, 6)            none, but for its windows
--   nothing                    any

-- For functions that an older rowcast generated, which draw any id. rowcast.refresh_attachments() puts today's in their place.
CREATE OR REPLACE FUNCTION rowcast.mark_writer() RETURNS boolean
LANGUAGE sql VOLATILE
RETURN pg_current_xact_id() IS NOT NULL
   AND pg_advisory_xact_lock_shared(1919907683, 5) IS NOT NULL
   AND pg_advisory_xact_lock_shared(1919907683, 1) IS NOT NULL;

-- For who announces a change of access: servers on their way to sleep wait for it, but no gap does.
CREATE OR REPLACE FUNCTION rowcast.mark_announcer() RETURNS boolean
LANGUAGE sql VOLATILE
RETURN pg_current_xact_id() IS NOT NULL
   AND pg_advisory_xact_lock_shared(1919907683, 6) IS NOT NULL
   AND pg_advisory_xact_lock_shared(1919907683, 1) IS NOT NULL;
