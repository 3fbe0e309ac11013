-- What looks secret inside of a column: keys of json, and fields of composite types, at any depth and in arrays. Such keys are taken out of a whole-row payload, as
-- columns are.
--
-- A table without such columns pays nothing: that is folded into its plans (31_hidden_columns.sql says how). For others the text of those columns is searched
-- once (37_secret_patterns.sql), and only where that finds something are they taken apart.

-- Whether values of this type become objects, or arrays of them, in JSON. Types from elsewhere may bring a cast of their own.
CREATE OR REPLACE FUNCTION rowcast.nests_objects(of_type oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.oid IN ('json'::regtype, 'jsonb'::regtype)
        OR t.typtype = 'c'
        OR t.typtype = 'b' AND t.typnamespace <> 'pg_catalog'::regnamespace
        OR EXISTS (SELECT FROM pg_cast c WHERE c.castsource = t.oid AND c.casttarget IN ('json'::regtype, 'jsonb'::regtype) AND c.oid >= 16384)
    FROM pg_type t
    WHERE t.oid = rowcast.scalar_type(of_type);
END;

CREATE OR REPLACE FUNCTION rowcast.may_nest(attachment text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = rowcast.attached_table(attachment) AND a.attnum > 0 AND NOT a.attisdropped AND rowcast.nests_objects(a.atttypid));
END;

-- The columns that need no look.
CREATE OR REPLACE FUNCTION rowcast.flat_columns(attachment text) RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT ARRAY(
        SELECT a.attname::text FROM pg_attribute a
        WHERE a.attrelid = rowcast.attached_table(attachment) AND a.attnum > 0 AND NOT a.attisdropped AND NOT rowcast.nests_objects(a.atttypid));
END;

-- Generates the condition under which a payload has to be taken apart. Texts of enormous ones could be longer than Postgres allows, which must not fail the app's
-- write: those are taken apart unseen.
CREATE OR REPLACE FUNCTION rowcast.may_hold_secrets(attachment text, data text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('rowcast.may_nest(%1$L) AND (pg_column_size(%2$s) > 16777216 OR (%2$s - rowcast.flat_columns(%1$L))::text COLLATE "C" ~* rowcast.secret_needles())',
                  attachment, data);
END;

-- data, and of it what may nest: only the planner is asked which columns those are. Whatever goes wrong, such as JSON that is nested too deep: it is not sent, and the app's write
-- does not fail.
CREATE OR REPLACE FUNCTION rowcast.without_secrets(attachment text, data jsonb, nested jsonb, source_key text) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Each level is a call, and the stack is not without end.
    most_levels CONSTANT integer := 64;
    keys    text[];
    secrets text[];
BEGIN
    keys := ARRAY(SELECT DISTINCT key #>> '{}' FROM jsonb_path_query(nested, 'strict $.** ? (@.type() == "object").keyvalue().key') AS key);
    -- Each by itself would take too long. A key with a line break in it is not found like this, and is looked at anyhow.
    secrets := ARRAY(
        SELECT btrim(line[1], '"')
        FROM regexp_matches((SELECT string_agg(format('"%s"', key), chr(10)) FROM unnest(keys) AS key),
                            format('^.*(?:%s).*$', rowcast.secret_needles()), 'gin') AS line);
    secrets := ARRAY(SELECT key FROM unnest(keys) AS key
                     WHERE CASE WHEN btrim(key, '"') = ANY (secrets) OR strpos(key, chr(10)) > 0 THEN rowcast.looks_secret(key) ELSE false END);
    IF secrets <> '{}' THEN
        data := data || rowcast.without_keys(nested, secrets, most_levels);
    END IF;
    RETURN data;
EXCEPTION WHEN OTHERS THEN
    RETURN rowcast.truncated(attachment, source_key);
END
$$;

-- The value without these keys, wherever they are in it.
CREATE OR REPLACE FUNCTION rowcast.without_keys(value jsonb, keys text[], levels integer) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF levels = 0 THEN
        RAISE EXCEPTION 'too deep' USING ERRCODE = 'statement_too_complex';
    ELSIF jsonb_typeof(value) = 'object' THEN
        value := value - keys;
        RETURN value || (SELECT coalesce(jsonb_object_agg(f.key, rowcast.without_keys(f.value, keys, levels - 1)), '{}')
                         FROM jsonb_each(value) AS f
                         WHERE jsonb_typeof(f.value) IN ('object', 'array'));
    ELSIF jsonb_path_exists(value, 'strict $[*] ? (@.type() == "object" || @.type() == "array")') THEN
        RETURN (SELECT jsonb_agg(CASE WHEN jsonb_typeof(e.element) IN ('object', 'array') THEN rowcast.without_keys(e.element, keys, levels - 1)
                                      ELSE e.element END ORDER BY e.position)
                FROM jsonb_array_elements(value) WITH ORDINALITY AS e (element, position));
    ELSE
        RETURN value;
    END IF;
END
$$;
