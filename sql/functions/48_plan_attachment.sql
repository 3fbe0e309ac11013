-- Puts the checks and the generated statements together: what attach() runs and preview() shows.

CREATE OR REPLACE FUNCTION rowcast.trigger_name(event_type text, operation text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'rowcast_' || CASE WHEN length(event_type) <= 46 THEN event_type ELSE left(event_type, 37) || '_' || left(md5(event_type), 8) END
           || '_' || lower(operation);
END;

-- CREATE TRIGGER for one table: the attached one, or a partition or child of it.
CREATE OR REPLACE FUNCTION rowcast.trigger_statements(definition jsonb, relation oid, function_name text) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    operation text;
BEGIN
    FOREACH operation IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] LOOP
        CONTINUE WHEN NOT definition->'operations' ? CASE operation WHEN 'TRUNCATE' THEN 'DELETE' ELSE operation END;
        RETURN NEXT format(E'CREATE TRIGGER %I AFTER %s ON %s\n%s    FOR EACH STATEMENT EXECUTE FUNCTION rowcast_capture.%s();',
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

CREATE OR REPLACE FUNCTION rowcast.plan_attachment(definition jsonb, caller_path text) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name     text := definition->>'name';
    argument text;
BEGIN
    PERFORM rowcast.check_arguments(definition);
    FOREACH argument IN ARRAY ARRAY['organization_id', 'data', 'filter', 'priority', 'user_id', 'chatbot_id', 'session_id'] LOOP
        IF definition->>argument IS NOT NULL THEN
            PERFORM rowcast.check_expression(definition, argument, caller_path);
        END IF;
    END LOOP;
    RETURN ARRAY[format('SET LOCAL search_path = %s;', caller_path)]
        || ARRAY(SELECT rowcast.expression_functions(definition))
        || ARRAY['SET LOCAL search_path = pg_catalog, pg_temp;']
        || ARRAY(SELECT rowcast.row_functions(definition))
        || ARRAY[rowcast.events_function(definition),
                 rowcast.trigger_function(definition, name, name || '_row'),
                 format('COMMENT ON FUNCTION rowcast_capture.%s() IS %L;', name, definition)]
        || ARRAY(SELECT s.statement FROM rowcast.hierarchy((definition->>'relation')::oid) WITH ORDINALITY h (relation, n)
                 CROSS JOIN LATERAL rowcast.trigger_statements(definition, h.relation, name) WITH ORDINALITY s (statement, m)
                 ORDER BY n, m);
END
$$;
