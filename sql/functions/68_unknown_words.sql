-- What is to be learned from the tables themselves before they are attached.

-- Columns of the table that an expression reads. NULL if it reads the row as a whole, as to_jsonb(r) does: then it may be any.
CREATE OR REPLACE FUNCTION rowcast.columns_read(relation oid, expression text, capture_schema text, path text) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bound oid;
    names text[];
BEGIN
    -- Bound as attach() binds expressions, looked up in the catalog, and rolled back.
    BEGIN
        bound := rowcast.bind_expression(jsonb_build_object('relation', relation, 'name', capture_schema || '.preset', 'changed', expression), 'changed', path);
        names := CASE WHEN NOT rowcast.reads_whole_row(bound) THEN ARRAY(
            SELECT a.attname FROM pg_depend d JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = bound AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation AND d.refobjsubid > 0
            ORDER BY a.attnum) END;
        RAISE EXCEPTION USING ERRCODE = 'RC000', MESSAGE = 'seen enough';
    EXCEPTION WHEN SQLSTATE 'RC000' THEN NULL;
    END;
    RETURN names;
END
$$;

-- Whether the row that a bound expression is given stands there otherwise than in r.column. The catalog tells of columns alone, the parsed body of both.
CREATE OR REPLACE FUNCTION rowcast.reads_whole_row(bound oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT replace(p.prosqlbody::text, '{FIELDSELECT :arg {PARAM :paramkind 0 :paramid 1 ', '') LIKE '%{PARAM :paramkind 0 :paramid 1 %'
    FROM pg_proc p WHERE p.oid = bound;
END;

-- Which words of the app the preset does not know: each is taken for something, which may be wrong. Looks at some thousand rows, not at all: it is a
-- help, and has to be quick.
CREATE OR REPLACE FUNCTION rowcast.tell_unknown_words(preset text, part text, resolved jsonb, path text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    rows_looked_at CONSTANT integer := 10000;
    most_words     CONSTANT integer := 10;
    listed  record;
    written text[];
    words   jsonb;
    list    text;
    asks    text;
BEGIN
    FOR listed IN
        SELECT p.part || '.' || p.argument AS label, p.part || '.' || replace(p.argument, '_words', '') AS said
        FROM rowcast.presets p
        WHERE p.preset = tell_unknown_words.preset AND p.part = tell_unknown_words.part AND p.kind = 'words' AND p.defaults[1]::jsonb ? '*'
        ORDER BY p.position
    LOOP
        CONTINUE WHEN resolved ->> listed.said = 'NULL';
        asks := format('SELECT array_agg(DISTINCT (%s)::text) FROM (SELECT * FROM %s LIMIT %s) AS r WHERE %s',
                       resolved ->> listed.said, resolved ->> (part || '.table'), rows_looked_at,
                       coalesce(nullif(resolved ->> (part || '.rows'), 'NULL'), 'true'));
        BEGIN
            PERFORM set_config('search_path', path, true);
            EXECUTE asks INTO written;
        EXCEPTION WHEN OTHERS THEN
            -- What fails here fails the app's writes or not: attach() has looked at that.
            written := NULL;
        END;
        PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
        EXECUTE 'SELECT ' || (resolved ->> listed.label) INTO words;
        SELECT string_agg(u.word, ', ' ORDER BY u.word) INTO list
        FROM (SELECT f.word FROM unnest(written) f (word) WHERE f.word IS NOT NULL AND NOT words ? rowcast.word(f.word) ORDER BY f.word LIMIT most_words) u;
        IF list IS NOT NULL THEN
            RAISE NOTICE '%: words that are not known are taken for %: %', part, words ->> '*', list
                USING HINT = format('Say what they mean, for example: --set %1$s=''{"%2$s": "%3$s"}''.', listed.label, split_part(list, ', ', 1), words ->> '*');
        END IF;
    END LOOP;
END
$$;
