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
