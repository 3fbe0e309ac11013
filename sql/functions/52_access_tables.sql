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

-- rowcast's own access tables announce their changes.
--
-- Statement-level with transition tables: a bulk load of memberships is one announcement. An UPDATE announces the rows that
-- stand on one side only, so one that changes nothing is silent, and one that moves a membership names the old user and the new.
CREATE OR REPLACE FUNCTION rowcast.membership_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    user_ids text[];
BEGIN
    CASE TG_OP
    WHEN 'INSERT' THEN
        SELECT array_agg(DISTINCT r.user_id) INTO user_ids FROM rowcast_new r;
    WHEN 'DELETE' THEN
        SELECT array_agg(DISTINCT r.user_id) INTO user_ids FROM rowcast_old r;
    WHEN 'UPDATE' THEN
        SELECT array_agg(DISTINCT r.user_id) INTO user_ids
        FROM ((TABLE rowcast_old EXCEPT TABLE rowcast_new) UNION ALL (TABLE rowcast_new EXCEPT TABLE rowcast_old)) r;
    WHEN 'TRUNCATE' THEN
        user_ids := ARRAY[NULL::text];
    END CASE;
    PERFORM rowcast.announce_access_change(user_ids, TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME);
    RETURN NULL;
END
$$;

-- A rule (what a role may do, what a type needs, what is redacted) concerns anybody.
CREATE OR REPLACE FUNCTION rowcast.access_rule_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed boolean;
BEGIN
    CASE TG_OP
    WHEN 'INSERT' THEN
        changed := EXISTS (TABLE rowcast_new);
    WHEN 'DELETE' THEN
        changed := EXISTS (TABLE rowcast_old);
    WHEN 'UPDATE' THEN
        changed := EXISTS ((TABLE rowcast_old EXCEPT TABLE rowcast_new) UNION ALL (TABLE rowcast_new EXCEPT TABLE rowcast_old));
    WHEN 'TRUNCATE' THEN
        changed := true;
    END CASE;
    IF changed THEN
        PERFORM rowcast.announce_access_change(ARRAY[NULL::text], TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END
$$;

DO $$
DECLARE
    watched record;
BEGIN
    FOR watched IN
        SELECT * FROM (VALUES
            ('rowcast.memberships',      'rowcast.membership_changed()'),
            ('rowcast.role_permissions', 'rowcast.access_rule_changed()'),
            ('rowcast.event_types',      'rowcast.access_rule_changed()'),
            ('rowcast.redactions',       'rowcast.access_rule_changed()')
        ) AS t (relation, handler)
    LOOP
        PERFORM rowcast.create_access_triggers(watched.relation::regclass, watched.handler::regprocedure);
    END LOOP;
END
$$;
