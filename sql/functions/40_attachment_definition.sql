-- The arguments of attach() as one value, which checks, generator and registry pass on to each other, and which ends as
-- the COMMENT on the generated function. Columns are kept by number with the name they had.

-- The name of an attachment, and the beginning of the names of all that is generated for it: readable, unique, and
-- short enough for the longest ending (_organization_id) to fit into an identifier.
CREATE OR REPLACE FUNCTION rowcast.attachment_name(source regclass, event_type text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.capture_schema(c.relowner) || '.'
           || left(trim(BOTH '_' FROM regexp_replace(lower(relname), '[^a-z0-9]+', '_', 'g')), 36)
           || '_' || left(md5(c.oid || ' ' || event_type), 8)
    FROM pg_class c WHERE c.oid = source;
END;

CREATE OR REPLACE FUNCTION rowcast.qualified_name(source oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = source;
END;

-- What stands in an event's `source`: schema.table without quotes, as people write it.
CREATE OR REPLACE FUNCTION rowcast.source_name(source oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = source;
END;

-- {"number": "name"} of columns; an unknown one is an error that lists what there is.
CREATE OR REPLACE FUNCTION rowcast.numbered_columns(source regclass, argument text, columns text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unknown text := (SELECT c.name FROM unnest(columns) c (name)
                     WHERE NOT EXISTS (SELECT FROM pg_attribute a
                                       WHERE a.attrelid = source AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped)
                     LIMIT 1);
BEGIN
    IF array_position(columns, NULL) IS NOT NULL THEN
        RAISE EXCEPTION '% contains NULL', argument
            USING ERRCODE = 'null_value_not_allowed', HINT = 'List the names of columns.';
    ELSIF unknown IS NOT NULL THEN
        RAISE EXCEPTION '%: % has no column "%"', argument, rowcast.source_name(source), unknown
            USING ERRCODE = 'undefined_column',
                  HINT = format('Its columns: %s.', (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
                                                     WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped));
    END IF;
    RETURN (SELECT coalesce(jsonb_object_agg(a.attnum, a.attname), '{}') FROM pg_attribute a
            WHERE a.attrelid = source AND a.attname = ANY (columns) AND a.attnum > 0 AND NOT a.attisdropped);
END
$$;

-- As it was before group_by. Nothing is bound to it: attach() and preview() look it up at each call.
DROP FUNCTION IF EXISTS rowcast.attachment_definition(regclass, text, text, text, text[], text[], text[], text, text, text, text, text, boolean, text);

-- group_by is there only where it was given: so what older attachments were told is what they would be told today.
CREATE OR REPLACE FUNCTION rowcast.attachment_definition(
    source regclass, event_type text, organization_id text, data text, exclude text[], operations text[], changed_columns text[],
    filter text, priority text, user_id text, chatbot_id text, session_id text, private boolean, on_error text, group_by text DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF source IS NULL THEN
        RAISE EXCEPTION 'source must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name a table, for example ''public.documents''.';
    END IF;
    PERFORM rowcast.check_source(source, event_type);
    RETURN jsonb_build_object(
        'relation', source::oid,
        'source', rowcast.source_name(source),
        'name', rowcast.attachment_name(source, event_type),
        'event_type', event_type,
        'reread', rowcast.can_reread(source),
        'organization_id', organization_id,
        'data', data,
        'excluded', rowcast.numbered_columns(source, 'exclude', exclude),
        'operations', (SELECT jsonb_agg(upper(o) ORDER BY n) FROM unnest(operations) WITH ORDINALITY u (o, n)),
        'changed', CASE WHEN changed_columns IS NOT NULL THEN rowcast.numbered_columns(source, 'changed_columns', changed_columns) END,
        'filter', filter,
        'priority', priority,
        'user_id', user_id,
        'chatbot_id', chatbot_id,
        'session_id', session_id,
        'private', private,
        'on_error', on_error)
        || CASE WHEN group_by IS NOT NULL THEN jsonb_build_object('group_by', group_by) ELSE '{}' END;
END
$$;
