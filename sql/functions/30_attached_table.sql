-- How generated code finds its way back to its table and to what attach() was told, without a word that could go stale.
--
-- An attachment is known by its name, which is that of its trigger function with its schema. What attach() was told is
-- the COMMENT on that function, a JSON object. The table is the type that <name>_row() returns.
-- Names of tables and columns may change and OIDs do change in a restore; these two links survive both.

CREATE OR REPLACE FUNCTION rowcast.attached_table(attachment text) RETURNS oid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.typrelid
    FROM pg_proc p JOIN pg_type t ON t.oid = p.prorettype
    WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = split_part(attachment, '.', 1))
      AND p.proname = split_part(attachment, '.', 2) || '_row';
END;

CREATE OR REPLACE FUNCTION rowcast.attachment_facts(attachment text) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT obj_description(p.oid, 'pg_proc')::jsonb
    FROM pg_proc p
    WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = split_part(attachment, '.', 1))
      AND p.proname = split_part(attachment, '.', 2) AND p.pronargs = 0;
END;

-- The type behind domains and arrays: what a value's innermost scalars are.
CREATE OR REPLACE FUNCTION rowcast.scalar_type(of_type oid) RETURNS oid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE steps (type, next) AS (
        SELECT of_type, (SELECT CASE WHEN typtype = 'd' THEN typbasetype WHEN typcategory = 'A' THEN typelem END FROM pg_type WHERE oid = of_type)
        UNION ALL
        SELECT t.oid, CASE WHEN t.typtype = 'd' THEN t.typbasetype WHEN t.typcategory = 'A' THEN t.typelem END
        FROM steps s JOIN pg_type t ON t.oid = s.next
        WHERE s.next <> 0
    )
    SELECT type FROM steps WHERE coalesce(next, 0) = 0;
END;
