-- Rows that JSON cannot hold. A json column keeps its text as it came: \u0000, half of a surrogate pair or 1e400000 only
-- fail when they become jsonb, and the app's write must not fail with them.
--
-- may_not_be_json() tells, once for each plan (31_hidden_columns.sql says how), whether a table has a column whose
-- conversion can fail: json, composite types, and types from elsewhere, which may bring a cast of their own. Only such tables pay for
-- the guard: a subtransaction that takes no xid, because it writes nothing.
CREATE OR REPLACE FUNCTION rowcast.may_not_be_json(attachment text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT
        FROM pg_attribute a JOIN pg_type t ON t.oid = rowcast.scalar_type(a.atttypid)
        WHERE a.attrelid = rowcast.attached_table(attachment) AND a.attnum > 0 AND NOT a.attisdropped
          AND (t.oid = 'json'::regtype
               OR t.typtype = 'c'
               OR t.typtype = 'b' AND t.typnamespace <> 'pg_catalog'::regnamespace
               OR EXISTS (SELECT FROM pg_cast c WHERE c.castsource = t.oid AND c.casttarget IN ('json'::regtype, 'jsonb'::regtype)
                                                  AND c.oid >= 16384)));
END;

-- NULL, which is sent as {"truncated": true}, when the row cannot be converted.
CREATE OR REPLACE FUNCTION rowcast.guarded_jsonb(row_of_table anyelement) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN pg_catalog.to_jsonb(row_of_table);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;

-- What is jsonb already cannot fail, and costs nothing.
CREATE OR REPLACE FUNCTION rowcast.guarded_jsonb(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN value;
