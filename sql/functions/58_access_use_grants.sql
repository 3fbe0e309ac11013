-- Puts the adopter's own tables behind rowcast.grants.
--
-- `query` gives user_id, organization_id (null: in every organization) and permission (null: a member, no more). `watch` names the
-- tables behind it, whose changes are changes of access: see rowcast.watched_tables(). A new call replaces the former one;
-- use_grants(NULL, NULL) goes back to rowcast.memberships.
-- For the owner of rowcast, who reads in the view on behalf of the server: the tables that the query names need SELECT for the
-- owner only. Triggers have to be created and so the caller must be a member of the roles that own the watched tables.
CREATE OR REPLACE FUNCTION rowcast.use_grants(query text, watch jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    watched   record;
    relation  regclass;
    columns   text[];
    number    integer := 0;
    unwatched text;
BEGIN
    IF query IS NULL AND watch IS NOT NULL THEN
        RAISE EXCEPTION 'there is nothing to watch without a query'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'use_grants(NULL, NULL) goes back to rowcast.memberships.';
    END IF;
    PERFORM rowcast.check_grants_query(query);
    FOR watched IN SELECT * FROM rowcast.watched_tables(watch) LOOP
        PERFORM rowcast.check_watched(d, watched.user_expression, watched.columns)
        FROM rowcast.with_descendants(watched.relation) AS d;
    END LOOP;

    PERFORM rowcast.unwatch_access();
    PERFORM rowcast.replace_grants(query);
    FOR watched IN SELECT * FROM rowcast.watched_tables(watch) LOOP
        columns := coalesce(watched.columns, rowcast.read_columns(watched.relation));
        FOR relation IN SELECT rowcast.with_descendants(watched.relation) LOOP
            number := number + 1;
            PERFORM rowcast.watch_access(number, relation, watched.relation::text, watched.user_expression, columns);
        END LOOP;
    END LOOP;

    PERFORM rowcast.check_view_readable('rowcast.grants', 'somebody''s access');
    FOR unwatched IN SELECT rowcast.unwatched_grant_tables() LOOP
        RAISE WARNING 'a change of % is noticed after a minute only', unwatched
            USING HINT = 'The query of rowcast.grants reads it: name it in watch.';
    END LOOP;
    PERFORM rowcast.announce_access_change(ARRAY[NULL::text], 'rowcast.use_grants');
END
$$;
