-- What a view of an adopter's query reads, through views or not, each with the role whose rights count there: a view's owner, but for a view with
-- security_invoker whoever reads it.
CREATE OR REPLACE FUNCTION rowcast.view_sources(adopted regclass) RETURNS TABLE (relation regclass, reader regrole)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE source (relation, reader) AS (
        SELECT c.oid, c.relowner FROM pg_class c WHERE c.oid = adopted
        UNION
        SELECT d.refobjid, CASE WHEN '{security_invoker=true,security_invoker=on,security_invoker=1}' && v.reloptions THEN source.reader ELSE v.relowner END
        FROM source
        JOIN pg_class v ON v.oid = source.relation AND v.relkind = 'v'
        JOIN pg_rewrite w ON w.ev_class = v.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
        WHERE d.refobjid <> v.oid
    )
    SELECT source.relation::regclass, source.reader::regrole
    FROM source
    WHERE source.relation <> adopted
    ORDER BY source.relation::regclass::text
$$;

CREATE OR REPLACE FUNCTION rowcast.grants_sources() RETURNS TABLE (relation regclass, reader regrole)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT * FROM rowcast.view_sources(to_regclass('rowcast.grants'))
$$;

-- Says now, not when it is first read, that the view cannot be, or that row-level security would silently hide rows from it, and with them `lost`.
-- From the catalogues: reading the view would run functions that somebody else may own, as the DBA.
CREATE OR REPLACE FUNCTION rowcast.check_view_readable(adopted regclass, lost text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    source record;
BEGIN
    FOR source IN
        SELECT s.relation, s.reader, c.relrowsecurity AND NOT a.rolsuper AND NOT a.rolbypassrls
               AND (c.relforcerowsecurity OR NOT pg_has_role(s.reader, c.relowner, 'USAGE')) AS rows_are_hidden
        FROM rowcast.view_sources(adopted) s
        JOIN pg_class c ON c.oid = s.relation
        JOIN pg_roles a ON a.oid = s.reader
    LOOP
        IF NOT has_table_privilege(source.reader, source.relation, 'SELECT')
           AND NOT has_any_column_privilege(source.reader, source.relation, 'SELECT') THEN
            RAISE EXCEPTION '% may not read %, which the query does on its behalf', source.reader, source.relation
                USING ERRCODE = 'insufficient_privilege', HINT = format('GRANT SELECT ON %s TO %s;', source.relation, source.reader);
        ELSIF source.rows_are_hidden THEN
            RAISE EXCEPTION 'row-level security of % may hide rows from %, and with them %', source.relation, source.reader, lost
                USING ERRCODE = 'insufficient_privilege', HINT = format('ALTER ROLE %s BYPASSRLS;', source.reader);
        END IF;
    END LOOP;
END
$$;

-- Tables behind rowcast.grants that nobody watches.
CREATE OR REPLACE FUNCTION rowcast.unwatched_grant_tables() RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT s.relation
    FROM rowcast.grants_sources() s JOIN pg_class c ON c.oid = s.relation
    WHERE c.relkind <> 'v'
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'rowcast_access_update')
$$;
