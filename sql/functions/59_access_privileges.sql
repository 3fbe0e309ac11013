-- Who may do what with access: the server reads what it enforces, a reader reads, and only the owner changes.
GRANT SELECT ON rowcast.grants, rowcast.event_types, rowcast.redactions, rowcast.access_changes TO rowcast_server;
GRANT SELECT
    ON rowcast.grants, rowcast.membership_grants, rowcast.memberships, rowcast.role_permissions,
       rowcast.event_types, rowcast.redactions, rowcast.access_changes
    TO rowcast_reader;

-- A new function is everybody's to call until this says otherwise.
REVOKE ALL ON FUNCTION
    rowcast.announce_access_change(text[], text),
    rowcast.create_access_triggers(regclass, regprocedure),
    rowcast.membership_changed(),
    rowcast.access_rule_changed(),
    rowcast.check_parses(text, text, text, text),
    rowcast.check_user_expression(regclass, text),
    rowcast.check_watched(regclass, text, text[]),
    rowcast.watched_tables(jsonb),
    rowcast.with_descendants(regclass),
    rowcast.watched_image(regclass, text[], regprocedure),
    rowcast.watch_access(integer, regclass, text, text, text[]),
    rowcast.unwatch_access(),
    rowcast.grants_definition(text),
    rowcast.replace_grants(text),
    rowcast.check_grants_query(text),
    rowcast.view_sources(regclass),
    rowcast.grants_sources(),
    rowcast.check_view_readable(regclass, text),
    rowcast.unwatched_grant_tables(),
    rowcast.use_grants(text, jsonb)
    FROM PUBLIC;
-- Owners of watched tables are writers: their triggers call these.
GRANT USAGE ON SCHEMA rowcast_watch TO rowcast_writer;
GRANT EXECUTE ON FUNCTION rowcast.announce_access_change(text[], text) TO rowcast_writer;
