-- What is sent in place of a row that is too large or that JSON cannot hold: {"truncated": true} and the key, from which a
-- client can fetch the row. The key is rebuilt from its text, because by now nothing of the row is worth touching.
CREATE OR REPLACE FUNCTION rowcast.truncated(attachment text, source_key text) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation oid    := rowcast.attached_table(attachment);
    numbers  int2[] := (SELECT indkey::int2[] FROM pg_index WHERE indrelid = relation AND indisprimary);
    data     jsonb  := '{"truncated": true}';
    parts    jsonb;
BEGIN
    IF source_key IS NULL OR numbers IS NULL THEN
        RETURN data;
    ELSIF cardinality(numbers) > 1 THEN
        parts := source_key::jsonb;
    ELSIF (SELECT atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
           FROM pg_attribute WHERE attrelid = relation AND attnum = numbers[array_lower(numbers, 1)]) THEN
        parts := jsonb_build_array(rowcast.exact_number(source_key::jsonb, false));
    ELSE
        parts := jsonb_build_array(source_key);
    END IF;
    data := data || (SELECT jsonb_object_agg(a.attname, parts -> (n.position - 1)::integer)
                     FROM unnest(numbers) WITH ORDINALITY n (number, position)
                     JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = n.number);
    RETURN data - coalesce(rowcast.hidden_columns(attachment), '{}');
EXCEPTION WHEN OTHERS THEN
    -- A key whose columns are no longer the primary key, say: whatever happens here must not fail the app's write.
    RETURN '{"truncated": true}';
END
$$;
