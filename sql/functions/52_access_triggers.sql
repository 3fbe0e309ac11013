-- Puts the four statement-level triggers of access on a table: Postgres allows transition tables on triggers of one event only.
-- The function that they call finds the rows in rowcast_old and rowcast_new, and what happened in TG_OP.
CREATE OR REPLACE FUNCTION rowcast.create_access_triggers(relation regclass, handler regprocedure) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    event record;
BEGIN
    FOR event IN
        SELECT * FROM (VALUES
            ('INSERT',   'REFERENCING NEW TABLE AS rowcast_new'),
            ('UPDATE',   'REFERENCING OLD TABLE AS rowcast_old NEW TABLE AS rowcast_new'),
            ('DELETE',   'REFERENCING OLD TABLE AS rowcast_old'),
            ('TRUNCATE', '')
        ) AS t (operation, transition_tables)
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER %I AFTER %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION %s',
            'rowcast_access_' || lower(event.operation), event.operation, relation, event.transition_tables, handler
        );
    END LOOP;
END
$$;
