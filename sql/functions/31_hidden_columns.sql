-- Which columns stay out of a whole-row payload: those that attach() was told to exclude, those that look secret, and
-- virtual ones, which triggers see no value of.
--
-- Excluded columns are known by number, so a RENAME does not let one out. Declared IMMUTABLE, which it is not: the
-- planner then calls it once for each plan, and a change of the table makes Postgres plan anew. So it costs no row
-- anything, and still follows every ALTER TABLE. (Changed patterns do the same through 05_settings.sql.)
--
-- Numbers mean nothing in a restored database, where dropped columns are gone: if the table is not the one attach() saw,
-- names count, and if one of them is missing the answer is NULL. A payload minus NULL is NULL, which is sent as
-- {"truncated": true}: nothing leaks, and rowcast.refresh_attachments() or a new attach() puts it right.
CREATE OR REPLACE FUNCTION rowcast.hidden_columns(attachment text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation oid   := rowcast.attached_table(attachment);
    facts    jsonb := rowcast.attachment_facts(attachment);
    restored boolean := relation IS DISTINCT FROM (facts->>'relation')::oid;
    excluded text[];
BEGIN
    IF relation IS NULL OR facts IS NULL THEN
        RETURN NULL;
    END IF;
    excluded := ARRAY(
        SELECT a.attname::text
        FROM jsonb_each_text(facts->'excluded') e (number, name)
        JOIN pg_attribute a ON a.attrelid = relation AND NOT a.attisdropped
                           AND CASE WHEN restored THEN a.attname = e.name ELSE a.attnum = e.number::int2 END);
    IF restored AND cardinality(excluded) < (SELECT count(*) FROM jsonb_object_keys(facts->'excluded')) THEN
        RETURN NULL;
    END IF;
    RETURN excluded || ARRAY(
        SELECT a.attname::text
        FROM pg_attribute a
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
          AND (rowcast.looks_secret(a.attname::text) OR a.attgenerated = 'v'));
END
$$;
