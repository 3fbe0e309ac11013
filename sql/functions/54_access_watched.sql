-- What use_grants() reads out of `watch`: one row for every table, with its settings in their long form.
--   {"public.team_members": "r.user_id"}                                      the user concerned
--   {"public.roles": null}                                                    anybody may be
--   {"public.users": {"user": "r.id", "columns": ["role", "disabled_at"]}}    only these columns matter
CREATE OR REPLACE FUNCTION rowcast.watched_tables(watch jsonb)
RETURNS TABLE (relation regclass, user_expression text, columns text[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry record;
BEGIN
    IF jsonb_typeof(watch) <> 'object' THEN
        RAISE EXCEPTION 'watch must be a JSON object, not %', jsonb_typeof(watch)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"public.team_members": "r.user_id", "public.roles": null}.';
    END IF;
    FOR entry IN SELECT key, value FROM jsonb_each(watch) LOOP
        relation := to_regclass(entry.key);
        IF relation IS NULL THEN
            RAISE EXCEPTION 'watch names %, which does not exist', entry.key
                USING ERRCODE = 'undefined_table', HINT = 'Name the table with its schema, such as public.team_members.';
        END IF;
        CASE jsonb_typeof(entry.value)
        WHEN 'null' THEN
            user_expression := NULL;
            columns := NULL;
        WHEN 'string' THEN
            user_expression := entry.value #>> '{}';
            columns := NULL;
        WHEN 'object' THEN
            user_expression := entry.value ->> 'user';
            columns := CASE WHEN jsonb_typeof(entry.value -> 'columns') = 'array'
                            THEN ARRAY(SELECT jsonb_array_elements_text(entry.value -> 'columns')) END;
        ELSE
            RAISE EXCEPTION 'watch says % for %', entry.value, relation
                USING ERRCODE = 'invalid_parameter_value', HINT = 'It takes an expression over r, null, or {"user": …, "columns": […]}.';
        END CASE;
        IF jsonb_typeof(entry.value) = 'object' AND (
            entry.value - '{user,columns}'::text[] <> '{}'
            OR coalesce(jsonb_typeof(entry.value -> 'user'), 'null') NOT IN ('string', 'null')
            OR coalesce(jsonb_typeof(entry.value -> 'columns'), 'null') NOT IN ('array', 'null')
        ) THEN
            RAISE EXCEPTION 'watch says % for %', entry.value, relation
                USING ERRCODE = 'invalid_parameter_value', HINT = 'An object takes "user", an expression over r, and "columns", a list of names.';
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

-- A table with its partitions and whatever inherits from it: a write that names one of them fires that one's triggers alone.
CREATE OR REPLACE FUNCTION rowcast.with_descendants(ancestor regclass) RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE family (relation) AS (
        SELECT ancestor
        UNION
        SELECT i.inhrelid::regclass FROM family JOIN pg_inherits i ON i.inhparent = family.relation
    )
    SELECT relation FROM family
$$;

-- Everything about a watched table that could make watching it fail, or be unsafe, said before anything is changed.
CREATE OR REPLACE FUNCTION rowcast.check_watched(relation regclass, user_expression text, columns text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    watched CONSTANT pg_class := (SELECT c FROM pg_class c WHERE c.oid = relation);
    missing text;
BEGIN
    IF watched.relkind NOT IN ('r', 'p') OR watched.relpersistence = 't' THEN
        RAISE EXCEPTION '% cannot be watched', relation
            USING ERRCODE = 'wrong_object_type', HINT = 'Watch the ordinary or partitioned tables behind it.';
    END IF;
    IF watched.relnamespace = 'rowcast'::regnamespace THEN
        RAISE EXCEPTION '% is watched already', relation
            USING ERRCODE = 'invalid_parameter_value', HINT = 'rowcast watches its own tables: leave it out of watch.';
    END IF;
    IF NOT pg_has_role(watched.relowner, 'USAGE') THEN
        RAISE EXCEPTION '% belongs to %, which % is not a member of', relation, watched.relowner::regrole, current_user
            USING ERRCODE = 'insufficient_privilege', HINT = format('GRANT %s TO %I;', watched.relowner::regrole, current_user);
    END IF;
    IF NOT has_schema_privilege(watched.relowner, 'rowcast_watch', 'USAGE')
       OR NOT has_function_privilege(watched.relowner, 'rowcast.announce_access_change(text[], text)', 'EXECUTE') THEN
        RAISE EXCEPTION '%, the owner of %, may not announce changes of access', watched.relowner::regrole, relation
            USING ERRCODE = 'insufficient_privilege', HINT = format('GRANT rowcast_writer TO %s;', watched.relowner::regrole);
    END IF;
    SELECT name INTO missing FROM unnest(columns) AS name
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped);
    IF FOUND THEN
        RAISE EXCEPTION '% has no column %', relation, quote_ident(missing) USING ERRCODE = 'undefined_column';
    END IF;
    IF columns IS NOT NULL AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary) THEN
        RAISE EXCEPTION '% has no primary key, so its columns cannot be picked', relation
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Without a key two rows that trade places look unchanged. Leave "columns" out.';
    END IF;
    PERFORM rowcast.check_user_expression(relation, user_expression);
END
$$;

-- The expression over r for what of a row matters to access: the whole row, or the picked columns.
-- The primary key is always in it, so that two rows that trade places in one UPDATE differ, and so is what the user expression reads.
CREATE OR REPLACE FUNCTION rowcast.watched_image(relation regclass, columns text[], user_function regprocedure) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN columns IS NULL THEN 'r'
        ELSE (
            SELECT 'ROW(' || string_agg(format('r.%I', a.attname), ', ' ORDER BY a.attnum) || ')'
            FROM pg_attribute a
            WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND (
                a.attname = ANY (columns)
                OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary AND a.attnum = ANY (i.indkey))
                OR EXISTS (
                    SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = user_function
                      AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation AND d.refobjsubid = a.attnum
                )
            )
        )
    END
$$;
