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

-- Makes the view anew. DROP … CASCADE of a table that it reads takes the view along, with its owner and its privileges.
CREATE OR REPLACE FUNCTION rowcast.replace_grants(query text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing CONSTANT boolean := to_regclass('rowcast.grants') IS NULL;
BEGIN
    EXECUTE rowcast.grants_definition(query);
    IF missing THEN
        EXECUTE format('ALTER VIEW rowcast.grants OWNER TO %s', (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'rowcast'));
        GRANT SELECT ON rowcast.grants TO rowcast_server, rowcast_reader;
    END IF;
END
$$;

-- Without the view nobody could be let in and no migration applied. Nobody's access is the safe one to assume: the memberships may be
-- years old where use_grants() had replaced them.
DO $$
BEGIN
    IF to_regclass('rowcast.grants') IS NULL THEN
        PERFORM rowcast.replace_grants('SELECT NULL AS user_id, NULL AS organization_id, NULL AS permission WHERE false');
        RAISE WARNING 'rowcast.grants was dropped, so nobody may see anything'
            USING HINT = 'Call rowcast.use_grants() with the query that it had, or with (NULL, NULL) to go back to rowcast.memberships.';
    END IF;
END
$$;

-- Refuses a query that is not one, or does not give exactly the three columns.
CREATE OR REPLACE FUNCTION rowcast.check_grants_query(query text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hint CONSTANT text := 'Write one SELECT that gives user_id, organization_id and permission.';
    given text[];
BEGIN
    IF query IS NULL THEN
        RETURN;
    END IF;
    PERFORM rowcast.check_parses(query, '', 'the query', hint);
    PERFORM rowcast.check_parses(format(E'SELECT FROM (%s\n) AS given', query), '', 'the query', hint);
    -- A view, because Postgres tells a query's columns no other way.
    EXECUTE format(E'CREATE VIEW rowcast.grants_candidate AS SELECT given.* FROM (%s\n) AS given', query);
    SELECT array_agg(attname::text ORDER BY attname::text) INTO given
    FROM pg_attribute WHERE attrelid = 'rowcast.grants_candidate'::regclass AND attnum > 0;
    DROP VIEW rowcast.grants_candidate;
    IF given IS DISTINCT FROM '{organization_id,permission,user_id}'::text[] THEN
        RAISE EXCEPTION 'the query gives %, not user_id, organization_id and permission', coalesce(array_to_string(given, ', '), 'no column')
            USING ERRCODE = 'invalid_parameter_value', HINT = hint;
    END IF;
END
$$;
