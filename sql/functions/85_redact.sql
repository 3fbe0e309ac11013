-- What a redaction does to an event's data: the same as src/policy/redaction.rs, which is what servers do. For rowcast.explain().

-- The data without the field, or with what stands in its place; NULL where there is no such field, or it is null. An array on the way means each of its elements.
CREATE OR REPLACE FUNCTION rowcast.redact(data jsonb, path text[], replacement jsonb, levels integer DEFAULT 128) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    field  jsonb := data -> path[1];
    within jsonb;
BEGIN
    IF levels = 0 THEN
        RAISE EXCEPTION 'nested too deep' USING ERRCODE = 'statement_too_complex';
    ELSIF jsonb_typeof(data) = 'array' THEN
        RETURN (
            SELECT CASE WHEN count(e.redacted) > 0 THEN jsonb_agg(coalesce(e.redacted, e.element) ORDER BY e.position) END
            FROM (SELECT element, position,
                         CASE WHEN jsonb_typeof(element) IN ('object', 'array') THEN rowcast.redact(element, path, replacement, levels - 1) END AS redacted
                  FROM jsonb_array_elements(data) WITH ORDINALITY AS u (element, position)) AS e);
    ELSIF jsonb_typeof(data) <> 'object' OR coalesce(jsonb_typeof(field), 'null') = 'null' THEN
        RETURN NULL;
    ELSIF cardinality(path) = 1 THEN
        RETURN CASE WHEN replacement IS NULL THEN data - path[1] ELSE data || jsonb_build_object(path[1], replacement) END;
    ELSE
        within := rowcast.redact(field, path[2:], replacement, levels - 1);
        RETURN CASE WHEN within IS NOT NULL THEN data || jsonb_build_object(path[1], within) END;
    END IF;
END
$$;
