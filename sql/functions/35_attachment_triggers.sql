-- What is attached, read from the catalogs themselves, so that it can never disagree with what runs: an attachment is a
-- trigger on a table that calls a generated function with our COMMENT, in a schema where only the table's owner can have put it.

-- NULL instead of an error: owners may put functions of their own, and comments, where theirs are generated.
CREATE OR REPLACE FUNCTION rowcast.json_or_null(value text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN value::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION rowcast.ancestors(relation oid) RETURNS SETOF oid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE up (parent) AS (
        SELECT inhparent FROM pg_inherits WHERE inhrelid = relation
        UNION
        SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.parent
    )
    SELECT parent FROM up;
END;

-- The table itself, then its partitions and children at any depth.
CREATE OR REPLACE FUNCTION rowcast.hierarchy(root oid) RETURNS SETOF oid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE down (relation, depth) AS (
        SELECT root, 0
        UNION
        SELECT i.inhrelid, depth + 1 FROM down JOIN pg_inherits i ON i.inhparent = down.relation
    )
    SELECT relation FROM down GROUP BY relation ORDER BY min(depth), relation;
END;

CREATE OR REPLACE VIEW rowcast.attachment_triggers AS
SELECT t.oid AS trigger, t.tgrelid AS relation, t.tgname AS trigger_name, t.tgenabled AS enabled, p.oid AS function,
       rowcast.attached_table(p.facts->>'name') AS root, p.facts->>'name' AS attachment, p.facts
FROM pg_catalog.pg_trigger t
JOIN (SELECT p.oid, pg_catalog.format('%s.%s', p.pronamespace::pg_catalog.regnamespace, p.proname) AS path,
             rowcast.json_or_null(pg_catalog.obj_description(p.oid, 'pg_proc')) AS facts
      FROM pg_catalog.pg_proc p
      WHERE rowcast.is_capture_schema(p.pronamespace)
        AND p.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype) p ON p.oid = t.tgfoid
-- A comment is believed of its own function only, and of those made for children of its table.
WHERE pg_catalog.starts_with(p.path, p.facts->>'name');
COMMENT ON VIEW rowcast.attachment_triggers IS 'Every trigger that rowcast.attach() made, on the attached table and on its partitions and children.';
