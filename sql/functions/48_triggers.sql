-- Triggers for one table: the attached one, or a partition or child of it.
--
-- Postgres fires statement triggers of the table that the statement names, so writes to a partition itself need triggers of
-- their own there. A statement on the parent fires the parent's alone: no row is captured twice.

CREATE OR REPLACE FUNCTION rowcast.trigger_name(event_type text, operation text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'rowcast_' || CASE WHEN length(event_type) <= 46 THEN event_type ELSE left(event_type, 37) || '_' || left(md5(event_type), 8) END
           || '_' || lower(operation);
END;

CREATE OR REPLACE FUNCTION rowcast.trigger_statements(definition jsonb, relation oid, function_name text) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    operation text;
BEGIN
    FOREACH operation IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] LOOP
        CONTINUE WHEN NOT definition->'operations' ? CASE operation WHEN 'TRUNCATE' THEN 'DELETE' ELSE operation END;
        RETURN NEXT format(E'CREATE TRIGGER %I AFTER %s ON %s\n%s    FOR EACH STATEMENT EXECUTE FUNCTION %s();',
                           rowcast.trigger_name(definition->>'event_type', operation), operation, rowcast.qualified_name(relation),
                           CASE operation
                               WHEN 'INSERT' THEN E'    REFERENCING NEW TABLE AS rowcast_new\n'
                               WHEN 'UPDATE' THEN E'    REFERENCING OLD TABLE AS rowcast_old NEW TABLE AS rowcast_new\n'
                               WHEN 'DELETE' THEN E'    REFERENCING OLD TABLE AS rowcast_old\n'
                               ELSE '' END,
                           function_name);
        IF rowcast.captures_replicated() THEN
            RETURN NEXT format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I;', rowcast.qualified_name(relation),
                               rowcast.trigger_name(definition->>'event_type', operation));
        END IF;
    END LOOP;
END
$$;

-- The columns of a table in their order: tables that agree in it can share a trigger function.
CREATE OR REPLACE FUNCTION rowcast.layout(relation oid) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT array_agg(format('%s %s', attname, format_type(atttypid, atttypmod)) ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped;
END;

-- All that one table of the hierarchy needs. A child whose columns stand in another order, or which has more of them,
-- gets a trigger function of its own, which first turns its rows into rows of the attached table.
CREATE OR REPLACE FUNCTION rowcast.relation_statements(definition jsonb, relation oid) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    root     oid  := (definition->>'relation')::oid;
    function text := definition->>'name';
BEGIN
    IF relation <> root AND rowcast.layout(relation) IS DISTINCT FROM rowcast.layout(root) THEN
        function := function || '_' || relation;
        RETURN NEXT rowcast.read_function(function, relation, root);
        RETURN NEXT rowcast.trigger_function(definition, function);
        RETURN NEXT format('COMMENT ON FUNCTION %s() IS %L;', function, definition);
        RETURN NEXT format('REVOKE ALL ON FUNCTION %1$s(), %1$s_read(%2$s, text) FROM PUBLIC;', function, rowcast.qualified_name(relation));
    END IF;
    RETURN QUERY SELECT rowcast.trigger_statements(definition, relation, function);
END
$$;
