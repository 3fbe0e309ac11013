-- What stands after the @ in the cursors of this moment: of the newest life that a server has found, or of the next, if this is another one that
-- none has found yet.
--
-- Also on a standby that apps read from, which is always in the life that its rows say.
CREATE OR REPLACE FUNCTION rowcast.current_epoch() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce((
        SELECT e.epoch + CASE
            WHEN pg_is_in_recovery() THEN 0
            WHEN (e.system_identifier, e.database, e.timeline) IS DISTINCT FROM (
                (SELECT c.system_identifier FROM pg_control_system() AS c),
                (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()),
                rowcast.current_timeline()
            ) THEN 1
            ELSE 0
        END
        FROM rowcast.epochs AS e
        ORDER BY e.epoch DESC
        LIMIT 1
    ), 0);
END;
