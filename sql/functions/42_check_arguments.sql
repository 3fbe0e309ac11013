-- The arguments of attach() that are not expressions, and which of them go together.
CREATE OR REPLACE FUNCTION rowcast.check_arguments(definition jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unknown text;
BEGIN
    IF jsonb_typeof(definition->'operations') IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'operations: at least one is needed'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave the argument out for all of INSERT, UPDATE and DELETE.';
    END IF;
    SELECT coalesce(o, 'NULL') INTO unknown
    FROM jsonb_array_elements_text(definition->'operations') o
    WHERE o IS NULL OR o NOT IN ('INSERT', 'UPDATE', 'DELETE');
    IF FOUND THEN
        RAISE EXCEPTION 'operations: unknown operation %', unknown
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use INSERT, UPDATE and DELETE. TRUNCATE comes with DELETE.';
    ELSIF definition->>'on_error' IS NULL OR definition->>'on_error' NOT IN ('fail', 'skip') THEN
        RAISE EXCEPTION 'on_error: unknown choice %', coalesce(quote_literal(definition->>'on_error'), 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Use ''fail'' (the write fails with its expression) or ''skip'' (the event is left out, see rowcast.capture_errors).';
    ELSIF definition->>'private' IS NULL THEN
        RAISE EXCEPTION 'private must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Use true or false.';
    ELSIF (definition->>'private')::boolean AND definition->>'user_id' IS NULL THEN
        RAISE EXCEPTION 'private: user_id is missing'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Say whose the row is, for example user_id => ''r.user_id''.';
    ELSIF definition->>'data' IS NOT NULL AND definition->'excluded' <> '{}' THEN
        RAISE EXCEPTION 'exclude and data cannot both be given'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'exclude takes columns out of the whole row; a data expression says itself what goes in.';
    ELSIF definition->>'group_by' IS NOT NULL AND definition->'excluded' <> '{}' THEN
        RAISE EXCEPTION 'exclude and group_by cannot both be given'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'exclude takes columns out of the whole row, which the event of a group does not send.';
    ELSIF definition->'changed' = '{}' THEN
        RAISE EXCEPTION 'changed_columns: at least one is needed'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave the argument out for any column.';
    ELSIF rowcast.virtual_column((definition->>'relation')::oid, ARRAY(SELECT k::integer FROM jsonb_object_keys(nullif(definition->'changed', 'null')) k)) IS NOT NULL THEN
        RAISE EXCEPTION 'changed_columns: "%" is a virtual generated column', rowcast.virtual_column((definition->>'relation')::oid, ARRAY(SELECT k::integer FROM jsonb_object_keys(definition->'changed') k))
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Triggers see no value of it. Name the columns that it is computed from, or make it STORED.';
    ELSIF jsonb_typeof(definition->'changed') = 'object' AND NOT definition->'operations' ? 'UPDATE' THEN
        RAISE EXCEPTION 'changed_columns is about UPDATE, which is not among the operations'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Add UPDATE to operations, or leave changed_columns out.';
    END IF;
END
$$;
