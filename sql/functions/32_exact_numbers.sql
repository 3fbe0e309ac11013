-- Numbers that a JavaScript client would round: numerics always, and integers beyond 2^53, leave as strings.
--
-- inexact_numbers() is a JSON path that finds such a value in a row of the table. It is folded into the plan like
-- rowcast.hidden_columns() (31_hidden_columns.sql says how), so that a row without one pays for a look, no more.
-- Numbers inside the app's own json columns are the app's.
CREATE OR REPLACE FUNCTION rowcast.inexact_numbers(attachment text) RETURNS jsonpath
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT ('$ ? (' || coalesce(string_agg(
               CASE WHEN c.always THEN format('@.%1$s%2$s.type() == "number"', c.name, c.deep)
                    ELSE format('@.%1$s%2$s > 9007199254740991 || @.%1$s%2$s < -9007199254740991', c.name, c.deep) END, ' || '),
               '1 == 0') || ')')::jsonpath
    FROM (SELECT to_json(a.attname::text)::text AS name,
                 CASE WHEN rowcast.scalar_type(a.atttypid) = 'numeric'::regtype THEN true ELSE false END AS always,
                 CASE WHEN t.typcategory = 'A' THEN '.**' ELSE '' END AS deep
          FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
          WHERE a.attrelid = rowcast.attached_table(attachment) AND a.attnum > 0 AND NOT a.attisdropped
            AND rowcast.scalar_type(a.atttypid) IN ('numeric'::regtype, 'bigint'::regtype)) c;
END;

-- One value, or an array of them at any depth.
CREATE OR REPLACE FUNCTION rowcast.exact_number(value jsonb, always boolean) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE
        WHEN jsonb_typeof(value) = 'array' THEN
            (SELECT coalesce(jsonb_agg(rowcast.exact_number(element, always) ORDER BY position), '[]')
             FROM jsonb_array_elements(value) WITH ORDINALITY elements (element, position))
        WHEN jsonb_typeof(value) = 'number' AND (always OR abs(value::numeric) > 9007199254740991) THEN to_jsonb(value #>> '{}')
        ELSE value
    END;
END
$$;

CREATE OR REPLACE FUNCTION rowcast.exact_numbers(attachment text, data jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT data || coalesce(jsonb_object_agg(a.attname, rowcast.exact_number(data->a.attname, rowcast.scalar_type(a.atttypid) = 'numeric'::regtype)), '{}')
    FROM pg_attribute a
    WHERE a.attrelid = rowcast.attached_table(attachment) AND a.attnum > 0 AND NOT a.attisdropped
      AND rowcast.scalar_type(a.atttypid) IN ('numeric'::regtype, 'bigint'::regtype)
      AND data ? a.attname::text;
END;
