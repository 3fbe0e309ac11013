-- {"documents.status": "r.state", …}: what each argument of a preset is, as it is spliced into others. One that is not among them cannot be had: its
-- table is not there, or no default fits it. What the caller gives is checked here, each expression by itself, so that what is wrong with it is said of it.
CREATE OR REPLACE FUNCTION rowcast.resolve_preset(preset text, tables jsonb, arguments jsonb, capture_schema text, path text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    resolved   jsonb := '{}';
    wanted     record;
    value      text;
    definition jsonb;
    -- As an expression is called where it is checked: data of a group may count its rows, if it is called data.
    named      text;
BEGIN
    FOR wanted IN
        SELECT p.part, p.argument, p.kind, p.defaults, p.part || '.' || p.argument AS label, (tables ->> (p.part || '.table'))::oid AS relation
        FROM rowcast.presets p
        WHERE p.preset = resolve_preset.preset AND tables ? (p.part || '.table')
        ORDER BY p.position
    LOOP
        named := CASE WHEN wanted.argument = 'data' AND resolved ? (wanted.part || '.group_by') THEN 'data' ELSE wanted.label END;
        definition := jsonb_build_object('relation', wanted.relation, 'name', capture_schema || '.preset', 'group_by', resolved -> (wanted.part || '.group_by'));
        value := CASE
            WHEN wanted.kind = 'event_type' THEN wanted.defaults[1]
            WHEN wanted.kind = 'table' THEN rowcast.qualified_name(wanted.relation)
            WHEN wanted.kind = 'list' THEN coalesce(arguments ->> wanted.label, wanted.defaults[1])
            WHEN wanted.kind = 'words' THEN rowcast.words_literal(wanted.label, wanted.defaults[1]::jsonb, arguments ->> wanted.label)
            WHEN NOT arguments ? wanted.label THEN rowcast.fitting_default(named, wanted.defaults, wanted.part, resolved, definition, path)
            -- Empty: there is none.
            WHEN coalesce(btrim(arguments ->> wanted.label, E' \t\r\n'), '') = '' THEN 'NULL'
            ELSE arguments ->> wanted.label END;
        IF wanted.kind IN ('expression', 'columns') AND arguments ? wanted.label THEN
            IF value = 'NULL' AND wanted.argument = 'data' THEN
                RAISE EXCEPTION '% is empty', wanted.label
                    USING ERRCODE = 'invalid_parameter_value', HINT = 'To send whole rows, attach the table itself: SELECT rowcast.attach(…).';
            ELSIF value <> 'NULL' THEN
                value := CASE wanted.kind WHEN 'columns' THEN format(E'ROW(%s\n)', value) ELSE value END;
                PERFORM rowcast.check_expression(definition || jsonb_build_object(named, value), named, path);
            END IF;
        END IF;
        IF value IS NOT NULL THEN
            resolved := resolved || jsonb_build_object(wanted.label, CASE
                WHEN wanted.kind NOT IN ('expression', 'columns') THEN value
                -- Written with parentheses of its own.
                WHEN NOT arguments ? wanted.label AND starts_with(value, E'(\n') THEN value
                ELSE rowcast.spliced(value) END);
        END IF;
    END LOOP;
    RETURN resolved;
END
$$;

-- The first default that can be had from the table as it is, or NULL.
CREATE OR REPLACE FUNCTION rowcast.fitting_default(label text, defaults text[], part text, resolved jsonb, definition jsonb, path text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    template text;
    filled   text;
BEGIN
    FOREACH template IN ARRAY defaults LOOP
        filled := rowcast.filled_in(template, part, resolved);
        IF filled = 'NULL' THEN
            RETURN filled;
        ELSIF filled IS NOT NULL THEN
            BEGIN
                PERFORM rowcast.check_expression(definition || jsonb_build_object(label, filled), label, path);
                RETURN filled;
            EXCEPTION
                -- No such column, or one of another type: something else holds it, if anything does. What is made of arguments that are there has to fit.
                WHEN undefined_column OR undefined_function OR undefined_table OR datatype_mismatch THEN
                    IF template LIKE '%{%' AND cardinality(defaults) = 1 THEN
                        RAISE;
                    END IF;
            END;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

-- The words that are known, and the caller's own, as a constant.
CREATE OR REPLACE FUNCTION rowcast.words_literal(label text, known jsonb, given text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    words   jsonb;
    unknown text;
BEGIN
    words := coalesce(nullif(btrim(given, E' \t\r\n'), ''), '{}')::jsonb;
    IF jsonb_typeof(words) <> 'object' THEN
        RAISE invalid_text_representation;
    END IF;
    SELECT coalesce(w.meaning, 'null') INTO unknown FROM jsonb_each_text(words) w (word, meaning)
    WHERE w.meaning IS NULL OR w.meaning NOT IN (SELECT k.meaning FROM jsonb_each_text(known) k (word, meaning));
    IF FOUND THEN
        RAISE EXCEPTION '%: no word can mean %', label, unknown
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('Use: %s.', (SELECT string_agg(DISTINCT k.meaning, ', ') FROM jsonb_each_text(known) k (word, meaning)));
    END IF;
    RETURN format('%L::jsonb', known || coalesce((SELECT jsonb_object_agg(CASE w.word WHEN '*' THEN '*' ELSE rowcast.word(w.word) END, w.meaning) FROM jsonb_each_text(words) w (word, meaning)), '{}'));
EXCEPTION WHEN invalid_text_representation THEN
    RAISE EXCEPTION '%: not a JSON object of words: %', label, given
        USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"in review": "processing"}, with what the app''s word means as its value.';
END
$$;

-- Says what is missing for an argument that a part cannot do without, and how to give it.
CREATE OR REPLACE FUNCTION rowcast.refuse_preset(preset text, part text, argument text, tables jsonb, resolved jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    label    text := part || '.' || argument;
    asked    text := part;
    relation oid;
    wanted   record;
    missing  text;
BEGIN
    -- One that is made of others alone is not missing itself.
    LOOP
        SELECT p.part, p.kind, p.defaults INTO STRICT wanted
        FROM rowcast.presets p WHERE p.preset = refuse_preset.preset AND p.part || '.' || p.argument = label;
        SELECT rowcast.preset_label(m[1], wanted.part) INTO missing
        FROM regexp_matches(wanted.defaults[1], '\{([a-z_]+(?:\.[a-z_]+)?)\}', 'g') m
        WHERE cardinality(wanted.defaults) = 1 AND NOT resolved ? rowcast.preset_label(m[1], wanted.part)
        LIMIT 1;
        EXIT WHEN NOT FOUND;
        label := missing;
    END LOOP;
    relation := (tables ->> (wanted.part || '.table'))::oid;
    IF relation IS NULL THEN
        RAISE EXCEPTION '%: there is no table %', asked, array_to_string((SELECT p.defaults FROM rowcast.presets p WHERE p.preset = refuse_preset.preset AND p.part = wanted.part AND p.kind = 'table'), ' or ')
            USING ERRCODE = 'undefined_table', HINT = rowcast.preset_hint(wanted.part || '.table', 'TABLE', format('Or leave %s out, with the parts that you want.', asked));
    END IF;
    RAISE EXCEPTION '%: % has no column %', asked, rowcast.source_name(relation),
        (SELECT string_agg(c.name, ' or ' ORDER BY c.n)
         FROM (SELECT m[1] AS name, min(d.n) AS n FROM unnest(wanted.defaults) WITH ORDINALITY d (template, n), regexp_match(d.template, '\mr\.([a-z_0-9]+)') m
               WHERE m IS NOT NULL AND d.template NOT LIKE '%{%' AND d.template NOT LIKE E'%\n%' GROUP BY 1) c)
        USING ERRCODE = 'undefined_column',
              HINT = rowcast.preset_hint(label, 'r.COLUMN', format(
                  'Any SQL expression over r will do. Its columns: %s. Or leave %s out.',
                  (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped), asked));
END
$$;
