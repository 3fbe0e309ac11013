-- Which columns of a table rowcast.grants depends on, so that a change of others is no change of access; NULL where that cannot be told for certain, and any change
-- counts. For rowcast.use_grants(), which asks it of tables that are watched without naming columns: a table that every request writes to then costs a comparison.
--
-- The catalogs know what a view reads itself. They do not know what functions read, nor what another view will read tomorrow, and row-level security may read any column. A whole row
-- in an expression (to_jsonb(u.*)) shows only in the view's stored tree, as the attribute number 0, and system columns as negative ones.
CREATE OR REPLACE FUNCTION rowcast.read_columns(relation regclass) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH rule AS (
        SELECT w.oid, w.ev_action::text AS tree FROM pg_rewrite w WHERE w.ev_class = to_regclass('rowcast.grants')
    ), uses AS MATERIALIZED (
        SELECT d.refclassid, d.refobjid, d.refobjsubid
        FROM rule JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = rule.oid
        WHERE d.refobjid <> to_regclass('rowcast.grants')
    )
    SELECT CASE
        WHEN (SELECT bool_or(rule.tree ~ ':varattno (0|-)') FROM rule) IS DISTINCT FROM false
            OR EXISTS (
                SELECT FROM uses u LEFT JOIN pg_class c ON u.refclassid = 'pg_class'::regclass AND c.oid = u.refobjid
                WHERE NOT coalesce(
                    c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
                    OR c.oid = to_regclass('rowcast.membership_grants')
                    OR u.refclassid = 'pg_type'::regclass AND (SELECT t.typtype = 'e' FROM pg_type t WHERE t.oid = u.refobjid)
                    OR u.refclassid = 'pg_collation'::regclass, false))
            OR NOT EXISTS (SELECT FROM uses u WHERE u.refclassid = 'pg_class'::regclass AND u.refobjid = relation)
            OR NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary)
            OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attgenerated = 'v')
        THEN NULL
        ELSE ARRAY(
            SELECT a.attname::text
            FROM uses u JOIN pg_attribute a ON a.attrelid = u.refobjid AND a.attnum = u.refobjsubid
            WHERE u.refclassid = 'pg_class'::regclass AND u.refobjid = relation AND u.refobjsubid > 0
            ORDER BY a.attnum)
    END;
END;
