-- Attaches an app by one of the ready mappings of sql/presets. As attach() it is SECURITY INVOKER, for the owner of the tables, and expressions of the caller mean what they
-- mean to the caller. All of it is attached, or nothing.

CREATE OR REPLACE FUNCTION rowcast.attach_preset(preset text, schema text DEFAULT 'public', arguments jsonb DEFAULT '{}', parts text[] DEFAULT NULL)
RETURNS TABLE (source text, event_type text)
LANGUAGE plpgsql
AS $$
BEGIN
    RETURN QUERY SELECT a.source, a.event_type
                 FROM rowcast.attach_parts(preset, schema, arguments, parts, pg_catalog.current_setting('search_path')) a;
END
$$;

-- The calls of attach() that attach_preset() would make, as a script; changes nothing.
CREATE OR REPLACE FUNCTION rowcast.preview_preset(preset text, schema text DEFAULT 'public', arguments jsonb DEFAULT '{}', parts text[] DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    script text;
BEGIN
    -- Attached for once, to see whether it can be; none of it stays.
    BEGIN
        SELECT pg_catalog.string_agg(a.call, E'\n\n' ORDER BY a.place) INTO script
        FROM rowcast.attach_parts(preset, schema, arguments, parts, pg_catalog.current_setting('search_path')) a;
        RAISE EXCEPTION USING ERRCODE = 'RC000', MESSAGE = 'attached';
    EXCEPTION WHEN SQLSTATE 'RC000' THEN NULL;
    END;
    RETURN pg_catalog.format(E'BEGIN;\n\nSET LOCAL search_path = %s;\n\n%s\n\nCOMMIT;\n',
                             coalesce(nullif(rowcast.preset_path(preset, arguments, pg_catalog.current_setting('search_path')), ''), ''''''), script);
END
$$;

-- Where names in expressions are looked up. What is built in needs nothing but pg_catalog, and with that alone nobody else's function can fit better than the one that is meant.
CREATE OR REPLACE FUNCTION rowcast.preset_path(preset text, arguments jsonb, caller_path text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN EXISTS (SELECT FROM rowcast.presets p
                             WHERE p.preset = preset_path.preset AND p.kind IN ('expression', 'columns') AND arguments ? (p.part || '.' || p.argument))
                THEN caller_path ELSE 'pg_catalog, pg_temp' END;
END;

CREATE OR REPLACE FUNCTION rowcast.attach_parts(preset text, schema text, arguments jsonb, parts text[], caller_path text)
RETURNS TABLE (place integer, source text, event_type text, call text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    path     text;
    tables   jsonb;
    resolved jsonb;
    wanted   record;
    capture  CONSTANT text := rowcast.capture_schema((SELECT oid FROM pg_roles WHERE rolname = current_user));
    given    jsonb;
    hint     text;
    detail   text;
BEGIN
    arguments := coalesce(arguments, '{}');
    PERFORM rowcast.check_preset(preset, schema, arguments, parts);
    path := rowcast.preset_path(preset, arguments, caller_path);
    tables := rowcast.preset_tables(preset, schema, arguments, parts);

    -- Whether they can be attached at all is said before anything about their columns.
    place := 0;
    FOR wanted IN SELECT * FROM rowcast.wanted_parts(preset, parts, tables) LOOP
        PERFORM rowcast.check_source(wanted.relation, wanted.event_type),
                rowcast.check_key(wanted.part, wanted.relation),
                rowcast.open_capture_schema(wanted.relation);
        place := place + 1;
    END LOOP;
    IF place = 0 THEN
        RAISE EXCEPTION '%: none of its tables is in the schema %', preset, schema
            USING ERRCODE = 'undefined_table', HINT = 'SELECT part, argument, defaults FROM rowcast.presets; says how they may be called, and what to set if they are called otherwise.';
    END IF;

    resolved := rowcast.resolve_preset(preset, tables, arguments, capture, path);
    place := 0;
    FOR wanted IN SELECT * FROM rowcast.wanted_parts(preset, parts, tables) LOOP
        place := place + 1;
        source := rowcast.source_name(wanted.relation);
        event_type := wanted.event_type;
        given := rowcast.attach_arguments(preset, wanted.part, wanted.relation, tables, resolved, capture, path);
        call := rowcast.attach_call(wanted.part, wanted.relation, wanted.event_type, given);
        BEGIN
            PERFORM rowcast.attach_part(wanted.relation, wanted.event_type, given, path);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION '%: %', wanted.part, SQLERRM USING ERRCODE = SQLSTATE, DETAIL = detail, HINT = hint;
        END;
        PERFORM rowcast.tell_unknown_words(preset, wanted.part, resolved, path);
        RETURN NEXT;
    END LOOP;
END
$$;

-- The parts that become attachments: those of which there is a table, or of these the ones that are asked for.
CREATE OR REPLACE FUNCTION rowcast.wanted_parts(preset text, parts text[], tables jsonb) RETURNS TABLE (part text, relation regclass, event_type text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT p.part, (tables ->> (p.part || '.table'))::oid::regclass, p.defaults[1]
    FROM rowcast.presets p
    WHERE p.preset = wanted_parts.preset AND p.kind = 'event_type' AND tables ? (p.part || '.table') AND (parts IS NULL OR p.part = ANY (parts))
    ORDER BY p.position;
END;

-- A key is sent with each event, so it must not be what a browser signs in with.
CREATE OR REPLACE FUNCTION rowcast.check_key(part text, relation regclass) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    secret text := (SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                    WHERE i.indrelid = relation AND i.indisprimary AND rowcast.looks_secret(a.attname::text) LIMIT 1);
BEGIN
    IF secret IS NOT NULL THEN
        RAISE EXCEPTION '%: the primary key of %, %, looks like a secret, and keys are sent with events', part, rowcast.source_name(relation), secret
            USING ERRCODE = 'invalid_table_definition',
                  HINT = 'Give the table another primary key; or, if it is no secret, attach the table itself: SELECT rowcast.attach(…).';
    END IF;
END
$$;

-- What attach() is called with for a part, as a JSON object. An argument that cannot be had is refused, with what is missing for it.
CREATE OR REPLACE FUNCTION rowcast.attach_arguments(preset text, part text, relation regclass, tables jsonb, resolved jsonb, capture_schema text, path text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    arguments CONSTANT text[] := '{organization_id,group_by,data,operations,changed_columns,filter,priority,user_id,chatbot_id,session_id}';
    wanted  record;
    given   jsonb := '{}';
    columns text[];
BEGIN
    FOR wanted IN
        SELECT p.argument, p.kind, resolved ->> (p.part || '.' || p.argument) AS value
        FROM rowcast.presets p
        WHERE p.preset = attach_arguments.preset AND p.part = attach_arguments.part
          AND p.argument = ANY (arguments)
        ORDER BY p.position
    LOOP
        IF wanted.value IS NULL THEN
            PERFORM rowcast.refuse_preset(preset, part, wanted.argument, tables, resolved);
        ELSIF wanted.value = 'NULL' THEN
            CONTINUE;
        ELSIF wanted.kind = 'columns' THEN
            columns := rowcast.columns_read(relation, wanted.value, capture_schema, path);
            -- What no column says cannot change.
            given := given || CASE WHEN columns = '{}' THEN '{"operations": ["INSERT", "DELETE"]}'
                                   WHEN columns IS NULL THEN '{}' ELSE jsonb_build_object('changed_columns', columns) END;
        ELSE
            given := given || jsonb_build_object(wanted.argument, CASE wanted.kind WHEN 'list' THEN to_jsonb(string_to_array(replace(wanted.value, ' ', ''), ',')) ELSE to_jsonb(wanted.value) END);
        END IF;
    END LOOP;
    RETURN given;
END
$$;

-- attach() with these arguments, as it is called here.
CREATE OR REPLACE FUNCTION rowcast.attach_part(source regclass, event_type text, given jsonb, path text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    operations text[] := CASE WHEN given ? 'operations' THEN ARRAY(SELECT jsonb_array_elements_text(given -> 'operations')) ELSE '{INSERT,UPDATE,DELETE}' END;
    columns    text[] := CASE WHEN given ? 'changed_columns' THEN ARRAY(SELECT jsonb_array_elements_text(given -> 'changed_columns')) END;
    call       record;
BEGIN
    SELECT * INTO call
    FROM jsonb_to_record(given) AS c (organization_id text, group_by text, data text, filter text, priority text, user_id text, chatbot_id text, session_id text);
    PERFORM set_config('search_path', path, true);
    PERFORM rowcast.attach(source, event_type, organization_id => call.organization_id, group_by => call.group_by, data => call.data, operations => operations, changed_columns => columns,
                           filter => call.filter, priority => call.priority, user_id => call.user_id, chatbot_id => call.chatbot_id, session_id => call.session_id);
END
$$;

-- The same call as people would write it.
CREATE OR REPLACE FUNCTION rowcast.attach_call(part text, source regclass, event_type text, given jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format(E'-- %s\nSELECT rowcast.attach(%L, %L%s);', part, rowcast.qualified_name(source), event_type,
                  string_agg(format(E',\n    %s => %s', g.name,
                                    CASE WHEN jsonb_typeof(g.value) = 'array' THEN quote_literal(ARRAY(SELECT jsonb_array_elements_text(g.value))::text)
                                         WHEN g.value #>> '{}' LIKE '%$%' OR g.value #>> '{}' NOT SIMILAR TO E'%[\n'']%' THEN quote_literal(g.value #>> '{}')
                                         ELSE '$$' || (g.value #>> '{}') || '$$' END), ''
                             ORDER BY array_position('{organization_id,group_by,data,operations,changed_columns,filter,priority,user_id,chatbot_id,session_id}', g.name)))
    FROM jsonb_each(given) g (name, value);
END;
