-- Puts the checks and the generated statements together: what attach() runs and preview() shows.
CREATE OR REPLACE FUNCTION rowcast.plan_attachment(definition jsonb, caller_path text) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name     text := definition->>'name';
    source   text := rowcast.qualified_name((definition->>'relation')::oid);
    bound    jsonb := definition;
    argument text;
    made     text[];
BEGIN
    PERFORM rowcast.check_arguments(definition),
            rowcast.open_capture_schema((definition->>'relation')::oid);
    FOR argument IN SELECT rowcast.expressions(definition) LOOP
        PERFORM rowcast.check_expression(definition, argument, caller_path);
    END LOOP;
    IF definition->>'group_by' IS NOT NULL THEN
        bound := rowcast.with_group(definition, rowcast.group_type(definition, caller_path));
    END IF;
    PERFORM rowcast.check_lookups(bound, caller_path),
            rowcast.warn_of_limits(definition);

    made := ARRAY(SELECT rowcast.expression_function(bound, e) FROM rowcast.expressions(bound) e);
    RETURN ARRAY[format('SELECT rowcast.open_capture_schema(%L);', source)]
        || CASE WHEN made = '{}' THEN made ELSE format('SET LOCAL search_path = %s;', coalesce(nullif(caller_path, ''), '''''')) || made END
        || ARRAY['SET LOCAL search_path = pg_catalog, pg_temp;']
        || ARRAY(SELECT rowcast.row_functions(bound))
        || CASE WHEN definition->>'group_by' IS NULL THEN ARRAY[rowcast.events_function(definition)] ELSE ARRAY(SELECT rowcast.group_functions(bound)) END
        || ARRAY[rowcast.trigger_function(definition, name),
                 format('COMMENT ON FUNCTION %s() IS %L;', name, definition),
                 rowcast.revoke_statement(bound)]
        || ARRAY(SELECT s.statement
                 FROM rowcast.hierarchy((definition->>'relation')::oid) WITH ORDINALITY h (relation, n)
                 CROSS JOIN LATERAL rowcast.relation_statements(definition, h.relation) WITH ORDINALITY s (statement, m)
                 -- ALTER TABLE wakes the event trigger that looks for tables without triggers: not before they have them.
                 ORDER BY starts_with(s.statement, 'ALTER TABLE'), n, m);
END
$$;

-- EXECUTE is for PUBLIC unless revoked, and whoever may execute a trigger function may put it on a table of their own.
CREATE OR REPLACE FUNCTION rowcast.revoke_statement(definition jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format(E'REVOKE ALL ON FUNCTION\n    %s\nFROM PUBLIC;', string_agg(format('%s%s', definition->>'name', f.signature), E',\n    ' ORDER BY f.n))
    FROM (SELECT 0 AS n, '()' AS signature
          UNION ALL SELECT 1, format(CASE WHEN definition->>'group_by' IS NULL THEN '_events(text, %1$s, %1$s)' ELSE '_events(text, text, text, text, %1$s, bigint)' END,
                                     rowcast.qualified_name((definition->>'relation')::oid))
          UNION ALL SELECT 1, format('_groups(text, %1$s, %1$s)', rowcast.qualified_name((definition->>'relation')::oid)) WHERE definition->>'group_by' IS NOT NULL
          UNION ALL SELECT 2, format('_changed(%1$s, %1$s)', rowcast.qualified_name((definition->>'relation')::oid)) WHERE jsonb_typeof(definition->'changed') = 'object'
          UNION ALL SELECT 3, format('_read(%s, text)', rowcast.qualified_name((definition->>'relation')::oid))
          UNION ALL SELECT 4, format('_%s(%s)', part, rowcast.qualified_name((definition->>'relation')::oid)
                                                       || CASE WHEN part = 'data' AND definition->>'group_by' IS NOT NULL THEN ', bigint' ELSE '' END)
                    FROM (SELECT 'row' UNION ALL SELECT 'key' UNION ALL SELECT 'data'
                          UNION ALL SELECT 'current' WHERE (definition->>'reread')::boolean
                          UNION ALL SELECT e FROM rowcast.expressions(definition) e WHERE e <> 'data') parts (part)) AS f;
END;

-- What is allowed, and still worth knowing.
CREATE OR REPLACE FUNCTION rowcast.warn_of_limits(definition jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation oid := (definition->>'relation')::oid;
BEGIN
    IF (SELECT relpersistence FROM pg_class WHERE oid = relation) = 'u' THEN
        RAISE WARNING '% is unlogged: a crash empties it, and no event tells', definition->>'source'
            USING HINT = 'After a crash clients have to load it again.';
    END IF;
    IF rowcast.key_expression(relation) = 'NULL' AND definition->>'group_by' IS NOT NULL THEN
        -- Groups have keys of their own.
        NULL;
    ELSIF rowcast.key_expression(relation) = 'NULL' THEN
        RAISE WARNING '% has no primary key: its events have no key, and clients cannot tell its rows apart', definition->>'source'
            USING HINT = 'Give it a primary key before attaching it.';
    ELSIF NOT (definition->>'reread')::boolean AND (definition->'operations' ?| ARRAY['INSERT', 'UPDATE']) THEN
        RAISE WARNING 'row-level security hides rows of % from its owner: where a trigger of the app writes to it again, events may come out of order', definition->>'source'
            USING HINT = format('Grant BYPASSRLS to %I, or use NO FORCE ROW LEVEL SECURITY, and attach again.', current_user);
    END IF;
END
$$;
