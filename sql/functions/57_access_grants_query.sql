-- The view that a query becomes. Casts make every adopter's ids and enums text; the collation is named because
-- CREATE OR REPLACE VIEW refuses to change a column's.
CREATE OR REPLACE FUNCTION rowcast.grants_definition(query text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(
        E'CREATE OR REPLACE VIEW rowcast.grants WITH (security_barrier) AS\n'
        'SELECT CAST(user_id AS text) COLLATE "default" AS user_id,\n'
        '       CAST(organization_id AS text) COLLATE "default" AS organization_id,\n'
        '       CAST(permission AS text) COLLATE "default" AS permission\n'
        'FROM (%s\n) AS given',
        coalesce(query, 'SELECT user_id, organization_id, permission FROM rowcast.membership_grants')
    )
$$;

-- Refuses a query that is not one, or does not give exactly the three columns.
CREATE OR REPLACE FUNCTION rowcast.check_grants_query(query text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    given text[];
BEGIN
    IF query IS NULL THEN
        RETURN;
    END IF;
    PERFORM rowcast.check_parses_alone(query, 'the query');
    PERFORM rowcast.check_parses_alone(format(E'SELECT FROM (%s\n) AS given', query), 'the query');
    -- A view, because Postgres tells a query's columns no other way.
    EXECUTE format(E'CREATE VIEW rowcast.grants_candidate AS SELECT given.* FROM (%s\n) AS given', query);
    SELECT array_agg(attname::text ORDER BY attname::text) INTO given
    FROM pg_attribute WHERE attrelid = 'rowcast.grants_candidate'::regclass AND attnum > 0;
    DROP VIEW rowcast.grants_candidate;
    IF given IS DISTINCT FROM '{organization_id,permission,user_id}'::text[] THEN
        RAISE EXCEPTION 'the query gives %, not user_id, organization_id and permission', coalesce(array_to_string(given, ', '), 'no column')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

-- Fails now rather than at the first connection: the owner of the view lacks SELECT, or row-level security would silently hide rows.
CREATE OR REPLACE FUNCTION rowcast.check_grants_readable() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
BEGIN
    PERFORM FROM rowcast.grants LIMIT 1;
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION USING
        ERRCODE = SQLSTATE,
        MESSAGE = format('rowcast.grants cannot be read: %s', SQLERRM),
        HINT = 'Its owner needs SELECT on every table of the query, and policies must not hide rows from it (BYPASSRLS).';
END
$$;

-- Tables that rowcast.grants reads, through views or not, and that nobody watches.
CREATE OR REPLACE FUNCTION rowcast.unwatched_grant_tables() RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE read (relation) AS (
        SELECT 'rowcast.grants'::regclass::oid
        UNION
        SELECT d.refobjid
        FROM read
        JOIN pg_rewrite w ON w.ev_class = read.relation
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
    )
    SELECT c.oid::regclass
    FROM read JOIN pg_class c ON c.oid = read.relation
    WHERE c.relkind NOT IN ('v', 'c')
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'rowcast_access_update')
    ORDER BY c.oid::regclass::text
$$;
