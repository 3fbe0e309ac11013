-- Virtual generated columns (Postgres 18, where they are the default kind): no value is stored, and a transition table that
-- is asked for one fails the statement. So rows of such a table are read by way of their text, which leaves the column
-- NULL; it stays out of payloads, and no expression may use it.
--
-- Folded into the plan as in 31_hidden_columns.sql: a table without one pays nothing, and one that is added later fails
-- no write. Takes the name of a function over rows of the table.
CREATE OR REPLACE FUNCTION rowcast.has_virtual_columns(row_function text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT
        FROM pg_proc p
        JOIN pg_type t ON t.oid = p.proargtypes[0]
        JOIN pg_attribute a ON a.attrelid = t.typrelid
        WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = split_part(row_function, '.', 1))
          AND p.proname = split_part(row_function, '.', 2)
          AND a.attgenerated = 'v' AND NOT a.attisdropped);
END;

-- The first of these columns that is virtual, or NULL.
CREATE OR REPLACE FUNCTION rowcast.virtual_column(relation oid, numbers integer[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT attname::text FROM pg_attribute
    WHERE attrelid = relation AND attnum = ANY (numbers) AND attgenerated = 'v'
    ORDER BY attnum LIMIT 1;
END;
