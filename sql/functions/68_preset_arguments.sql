-- What the arguments of a preset are for the tables that there are: the caller's own, or else the first default that fits.

-- Is this a preset, and are these its arguments and its parts? What there is instead stands in the hint.
CREATE OR REPLACE FUNCTION rowcast.check_preset(preset text, schema text, arguments jsonb, parts text[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known   CONSTANT text := (SELECT string_agg(DISTINCT p.preset, ', ') FROM rowcast.presets p);
    unknown text;
BEGIN
    IF NOT EXISTS (SELECT FROM rowcast.presets p WHERE p.preset = check_preset.preset) THEN
        RAISE EXCEPTION 'there is no preset %', coalesce(quote_literal(preset), 'NULL')
            USING ERRCODE = 'undefined_object', HINT = format('There are: %s.', known);
    ELSIF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = schema) THEN
        RAISE EXCEPTION 'there is no schema %', coalesce(quote_literal(schema), 'NULL')
            USING ERRCODE = 'invalid_schema_name', HINT = 'Name the one that the app''s tables are in, as the catalog spells it.';
    ELSIF jsonb_typeof(arguments) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'arguments: a JSON object is needed'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example ''{"documents.table": "files", "documents.status": "r.state"}''.';
    END IF;
    SELECT a.label INTO unknown FROM jsonb_object_keys(arguments) a (label)
    WHERE a.label NOT IN (SELECT p.part || '.' || p.argument FROM rowcast.presets p WHERE p.preset = check_preset.preset AND p.kind <> 'event_type');
    IF FOUND THEN
        RAISE EXCEPTION '% has no argument %', preset, unknown
            USING ERRCODE = 'undefined_parameter',
                  HINT = (SELECT format('There are: %s.', string_agg(p.part || '.' || p.argument, ', ' ORDER BY p.position))
                          FROM rowcast.presets p
                          WHERE p.preset = check_preset.preset AND p.kind <> 'event_type'
                            -- Those of its part, if there is such a part.
                            AND (p.part = split_part(unknown, '.', 1)
                                 OR NOT EXISTS (SELECT FROM rowcast.presets q WHERE q.preset = check_preset.preset AND q.part = split_part(unknown, '.', 1))));
    END IF;
    SELECT a.part INTO unknown FROM unnest(parts) a (part)
    WHERE a.part IS NULL OR a.part NOT IN (SELECT p.part FROM rowcast.presets p WHERE p.preset = check_preset.preset AND p.kind = 'event_type');
    IF FOUND THEN
        RAISE EXCEPTION '% has no part %', preset, coalesce(unknown, 'NULL')
            USING ERRCODE = 'undefined_parameter',
                  HINT = (SELECT format('There are: %s.', string_agg(p.part, ', ' ORDER BY p.position)) FROM rowcast.presets p
                          WHERE p.preset = check_preset.preset AND p.kind = 'event_type');
    END IF;
END
$$;

-- The table of this name in this schema, or in the one that the name itself says.
CREATE OR REPLACE FUNCTION rowcast.table_named(schema text, name text) RETURNS regclass
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    spelled  text;
    relation regclass;
BEGIN
    FOREACH spelled IN ARRAY ARRAY[format('%I.%I', schema, name), format('%I.%s', schema, name), CASE WHEN name LIKE '%.%' THEN name END] LOOP
        BEGIN
            relation := to_regclass(spelled);
        EXCEPTION WHEN invalid_name OR feature_not_supported THEN NULL;
        END;
        EXIT WHEN relation IS NOT NULL;
    END LOOP;
    RETURN relation;
END
$$;

-- An expression in the place of {argument}: it stays one value, whatever stands around it.
CREATE OR REPLACE FUNCTION rowcast.spliced(expression text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN expression ~ '^(r\.([A-Za-z_][A-Za-z0-9_]*|"[^"]+")|NULL|[0-9]+|''[^'']*'')$' THEN expression
    -- The line break ends a comment that it may end with.
    WHEN expression LIKE '%--%' THEN format(E'(%s\n)', expression)
    ELSE format('(%s)', expression) END;

-- A default with the arguments in it that it stands on; NULL when one of them is not to be had.
CREATE OR REPLACE FUNCTION rowcast.filled_in(template text, part text, resolved jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    filled text := '';
    rest   text := template;
    piece  text[];
BEGIN
    LOOP
        piece := regexp_match(rest, '^(.*?)\{([a-z_]+(?:\.[a-z_]+)?)\}(.*)$');
        EXIT WHEN piece IS NULL;
        -- NULL in it makes all of it NULL.
        filled := filled || piece[1] || (resolved ->> rowcast.preset_label(piece[2], part));
        rest := piece[3];
    END LOOP;
    RETURN filled || rest;
END
$$;

-- {argument} is one of the same part.
CREATE OR REPLACE FUNCTION rowcast.preset_label(placeholder text, part text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN placeholder LIKE '%.%' THEN placeholder ELSE part || '.' || placeholder END;

-- The parts that count: those that are asked for, those that the caller speaks of, and whatever they are looked up in. All others may look as they like.
CREATE OR REPLACE FUNCTION rowcast.needed_parts(preset text, arguments jsonb, parts text[]) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE needed (part) AS (
        SELECT p.part FROM rowcast.presets p
        WHERE p.preset = needed_parts.preset AND (parts IS NULL OR p.part = ANY (parts) OR arguments ? (p.part || '.' || p.argument))
        UNION
        SELECT m.found[1]
        FROM needed n
        JOIN rowcast.presets p ON p.preset = needed_parts.preset AND p.part = n.part
        CROSS JOIN LATERAL unnest(p.defaults) AS d (template)
        CROSS JOIN LATERAL regexp_matches(d.template, '\{([a-z_]+)\.[a-z_]+\}', 'g') AS m (found)
    )
    SELECT array_agg(n.part) FROM needed n;
END;

-- {"documents.table": 16402, …}: the tables that there are. One that the caller speaks of must be there.
CREATE OR REPLACE FUNCTION rowcast.preset_tables(preset text, schema text, arguments jsonb, parts text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tables   jsonb := '{}';
    wanted   record;
    named    text[];
    relation regclass;
    left_out text[] := '{}';
BEGIN
    FOR wanted IN
        SELECT p.part, p.defaults, p.part || '.table' AS label,
               p.part = ANY (parts) OR EXISTS (SELECT FROM jsonb_object_keys(arguments) a (label) WHERE starts_with(a.label, p.part || '.')) AS is_named,
               EXISTS (SELECT FROM rowcast.presets e WHERE e.preset = p.preset AND e.part = p.part AND e.kind = 'event_type') AND (parts IS NULL OR p.part = ANY (parts)) AS is_wanted
        FROM rowcast.presets p
        WHERE p.preset = preset_tables.preset AND p.kind = 'table' AND p.part = ANY (rowcast.needed_parts(preset_tables.preset, arguments, parts))
        ORDER BY p.position
    LOOP
        named := CASE WHEN arguments ? wanted.label THEN ARRAY[coalesce(arguments ->> wanted.label, '')] ELSE wanted.defaults END;
        SELECT rowcast.table_named(schema, n.name) INTO relation
        FROM unnest(named) WITH ORDINALITY n (name, position) WHERE rowcast.table_named(schema, n.name) IS NOT NULL ORDER BY n.position LIMIT 1;
        IF FOUND THEN
            tables := tables || jsonb_build_object(wanted.label, relation::oid::bigint);
        ELSIF wanted.is_named THEN
            RAISE EXCEPTION '%: there is no table %', wanted.part, array_to_string(named, ' or ')
                USING ERRCODE = 'undefined_table', HINT = rowcast.preset_hint(wanted.label, 'TABLE', format('Tables are looked for in the schema %s.', schema));
        ELSIF wanted.is_wanted THEN
            left_out := left_out || format('%s (%s)', wanted.part, array_to_string(named, ' or '));
        END IF;
    END LOOP;
    IF left_out <> '{}' THEN
        RAISE NOTICE '%: these parts are left out, because their tables are not in the schema %: %', preset, schema, array_to_string(left_out, ', ')
            USING HINT = format('Where a table is called otherwise, say so: --set %1$s.table=TABLE, or in SQL {"%1$s.table": "TABLE"}.', split_part(left_out[1], ' ', 1));
    END IF;
    RETURN tables;
END
$$;

-- How to give an argument, on the command line and in SQL.
CREATE OR REPLACE FUNCTION rowcast.preset_hint(label text, value text, more text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN concat_ws(' ', format('Say which: --set %1$s=%2$s, or in SQL {"%1$s": "%2$s"}.', label, value), nullif(more, ''));
