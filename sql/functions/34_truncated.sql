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
    part     record;
BEGIN
    IF source_key IS NULL OR numbers IS NULL THEN
        RETURN data;
    END IF;
    FOR part IN
        SELECT a.attname::text AS name,
               CASE WHEN cardinality(numbers) > 1 THEN source_key::jsonb -> (n.position - 1)::integer
                    WHEN a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
                    THEN rowcast.exact_number(source_key::jsonb, false)
                    ELSE to_jsonb(source_key) END AS value
        FROM unnest(numbers) WITH ORDINALITY n (number, position)
        JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = n.number
    LOOP
        data := data || jsonb_build_object(part.name, part.value);
    END LOOP;
    RETURN data - coalesce(rowcast.hidden_columns(attachment), '{}');
EXCEPTION WHEN OTHERS THEN
    -- A key whose columns are no longer the primary key, say: whatever happens here must not fail the app's write.
    RETURN '{"truncated": true}';
END
$$;
