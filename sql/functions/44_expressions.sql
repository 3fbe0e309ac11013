-- Binds the expressions: one SQL function for each, over one row of the table.
--
-- Bodies of this form are stored parsed, not as text: they follow a RENAME of any column, table or schema, and Postgres
-- refuses to DROP what they need, naming them. They are what the names in the trigger's text stand on; that text itself
-- names no column. The planner inlines the simple ones, so they cost what the bare expression would.

-- Values that make up the key, in JSON: exact, and the same whatever the settings of the session.
CREATE OR REPLACE FUNCTION rowcast.key_value(column_name text, of_type oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE rowcast.scalar_type(of_type)
               WHEN 'numeric'::regtype THEN format('(r.%I)::text', column_name)
               WHEN 'bigint'::regtype THEN format('CASE WHEN r.%1$I BETWEEN -9007199254740991 AND 9007199254740991 THEN to_jsonb(r.%1$I) ELSE to_jsonb(r.%1$I::text) END', column_name)
               ELSE format('r.%I', column_name)
           END;
END;

-- The key as text, or NULL for a table without one. to_jsonb(key) #>> '{}', which for these few types is their plain text.
CREATE OR REPLACE FUNCTION rowcast.key_expression(relation oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE count(*)
               WHEN 0 THEN 'NULL'
               WHEN 1 THEN CASE WHEN bool_and(a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'uuid'::regtype, 'text'::regtype, 'varchar'::regtype))
                                THEN format('r.%I::text', min(a.attname))
                                ELSE format('to_jsonb(r.%I) #>> ''{}''', min(a.attname)) END
               ELSE format('jsonb_build_array(%s)::text', string_agg(rowcast.key_value(a.attname, a.atttypid), ', ' ORDER BY n.position))
           END
    FROM pg_index i
    CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY n (number, position)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = n.number
    WHERE i.indrelid = relation AND i.indisprimary;
END;

-- Whether the row of a key can be read again by whoever owns the trigger function (see 46_trigger_function.sql): it needs
-- a key, and policies that do not hide rows from the table's own owner.
CREATE OR REPLACE FUNCTION rowcast.can_reread(relation oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.key_expression(relation) <> 'NULL' AND NOT row_security_active(relation);
END;

-- The CREATE FUNCTION statements of what the caller wrote. They run with the caller's search_path.
CREATE OR REPLACE FUNCTION rowcast.expression_functions(definition jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source   text := rowcast.qualified_name((definition->>'relation')::oid);
    argument text;
BEGIN
    FOREACH argument IN ARRAY ARRAY['filter', 'organization_id', 'user_id', 'chatbot_id', 'session_id', 'priority', 'data'] LOOP
        CONTINUE WHEN definition->>argument IS NULL;
        RETURN NEXT format(E'CREATE FUNCTION rowcast_capture.%s_%s(r %s) RETURNS %s\nLANGUAGE sql STABLE\nRETURN (\n%s\n)%s;',
                           definition->>'name', argument, source,
                           CASE argument WHEN 'filter' THEN 'boolean' WHEN 'data' THEN 'jsonb' ELSE 'text' END,
                           definition->>argument,
                           CASE WHEN argument NOT IN ('filter', 'data') THEN '::text' ELSE '' END);
    END LOOP;
END
$$;
