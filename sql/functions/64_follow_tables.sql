-- New partitions and children get their triggers in the transaction that makes them.
--
-- Event triggers are for superusers to create, so this one exists only where a superuser migrates; elsewhere
-- rowcast.refresh_attachments() has to be called. It runs as whoever runs the DDL, and that must never fail because of
-- us: roles that have nothing to do with rowcast are let alone, and an error becomes a warning.
CREATE OR REPLACE FUNCTION rowcast.follow_tables() RETURNS event_trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT has_schema_privilege('rowcast', 'USAGE') OR NOT pg_has_role('rowcast_writer', 'USAGE') THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT
               FROM pg_event_trigger_ddl_commands() d
               CROSS JOIN LATERAL (SELECT d.objid UNION ALL SELECT rowcast.ancestors(d.objid)) AS r (relation)
               JOIN pg_trigger t ON t.tgrelid = r.relation
               JOIN pg_proc p ON p.oid = t.tgfoid
               WHERE d.classid = 'pg_class'::regclass AND rowcast.is_capture_schema(p.pronamespace)) THEN
        PERFORM rowcast.refresh_attachments();
    END IF;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'rowcast could not follow this change of tables: %', SQLERRM
        USING HINT = 'Call rowcast.refresh_attachments() as the owner of the attached table.';
END
$$;

DO $follow_tables$
BEGIN
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtname = 'rowcast_follow_tables') THEN
        CREATE EVENT TRIGGER rowcast_follow_tables ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE')
            EXECUTE FUNCTION rowcast.follow_tables();
    END IF;
END
$follow_tables$;
