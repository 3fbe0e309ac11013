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

-- Types of which to_jsonb(value) #>> '{}', which is what keys are, is their plain text.
CREATE OR REPLACE FUNCTION rowcast.is_key_text(type oid) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN type IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'uuid'::regtype, 'text'::regtype, 'varchar'::regtype);

-- The key as text, or NULL for a table without one.
CREATE OR REPLACE FUNCTION rowcast.key_expression(relation oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE count(*)
               WHEN 0 THEN 'NULL'
               WHEN 1 THEN CASE WHEN bool_and(rowcast.is_key_text(a.atttypid))
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

-- What an expression may use.
CREATE OR REPLACE FUNCTION rowcast.expression_parameters(definition jsonb, argument text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('r %s', rowcast.qualified_name((definition->>'relation')::oid))
           || CASE WHEN argument = 'data' AND definition->>'group_by' IS NOT NULL THEN ', rows bigint' ELSE '' END;
END;

-- The CREATE FUNCTION statement of what the caller wrote. It runs with the caller's search_path. The line breaks around the
-- expression end a comment that it may end with.
CREATE OR REPLACE FUNCTION rowcast.expression_function(definition jsonb, argument text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format(E'CREATE FUNCTION %s_%s(%s) RETURNS %s\nLANGUAGE sql STABLE\nRETURN %s(\n%s\n)%s;',
                  definition->>'name', argument, rowcast.expression_parameters(definition, argument),
                  CASE argument WHEN 'filter' THEN 'boolean' WHEN 'data' THEN 'jsonb' ELSE 'text' END,
                  CASE WHEN argument = 'data' THEN 'coalesce(' WHEN argument = 'group_by' AND NOT rowcast.is_key_text((definition->>'group_type')::oid) THEN 'pg_catalog.to_jsonb' ELSE '' END,
                  definition->>argument,
                  CASE WHEN argument = 'filter' THEN '' WHEN argument = 'data' THEN ', ''{}''::pg_catalog.jsonb)'
                       WHEN argument = 'group_by' AND NOT rowcast.is_key_text((definition->>'group_type')::oid) THEN ' OPERATOR(pg_catalog.#>>) ''{}''' ELSE '::pg_catalog.text' END);
END;

CREATE OR REPLACE FUNCTION rowcast.expressions(definition jsonb) RETURNS SETOF text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT argument
    FROM unnest(ARRAY['filter', 'group_by', 'organization_id', 'user_id', 'chatbot_id', 'session_id', 'priority', 'data']) AS arguments (argument)
    WHERE definition->>argument IS NOT NULL;
END;

-- Whether every expression is a column of a type that has one text only, or there is none.
CREATE OR REPLACE FUNCTION rowcast.is_plain(definition jsonb) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT NOT EXISTS (
        SELECT
        FROM rowcast.expressions(definition) AS p (part)
        WHERE NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = (definition->>'relation')::oid AND definition->>p.part = 'r.' || quote_ident(a.attname)
                        AND p.part <> 'data' AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'uuid'::regtype, 'boolean'::regtype,
                                               'smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)));
END;

-- Settings that the text of a value depends on, for the trigger function. Each costs about half a microsecond a statement,
-- so a table of plain columns gets only those that its types ask for, and the time zone, because hardly a table stays
-- without a timestamp. An expression may do anything, and so may a type from elsewhere.
CREATE OR REPLACE FUNCTION rowcast.settings_of_capture(definition jsonb) RETURNS TABLE (name text, value text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s.name, s.value
    FROM (VALUES
        (1, 'TimeZone', 'UTC', NULL::regtype[]),
        (2, 'DateStyle', 'ISO, YMD', '{daterange,tsrange,tstzrange,datemultirange,tsmultirange,tstzmultirange}'),
        (3, 'IntervalStyle', 'iso_8601', '{interval}'),
        (4, 'extra_float_digits', '1', '{real,double precision,point,line,lseg,box,path,polygon,circle}'),
        (5, 'bytea_output', 'hex', '{bytea}'),
        (6, 'lc_monetary', 'C', '{money}')
    ) AS s (n, name, value, types)
    WHERE s.types IS NULL
       OR NOT rowcast.is_plain(definition)
       OR EXISTS (SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = rowcast.scalar_type(a.atttypid)
                  WHERE a.attrelid = (definition->>'relation')::oid AND a.attnum > 0 AND NOT a.attisdropped
                    AND (t.oid = ANY (s.types) OR t.typtype <> 'e' AND t.typnamespace <> 'pg_catalog'::regnamespace))
    ORDER BY s.n;
END;
