-- What attach() has to know of group_by, besides that it is an expression over r (43_check_expression.sql): its values can be compared, and of which type they are.

-- Parsed in a frame that asks for equality, and run without being evaluated.
CREATE OR REPLACE FUNCTION rowcast.group_type(definition jsonb, caller_path text) RETURNS oid
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parse text := pg_catalog.format('%I.%I', pg_catalog.split_part(definition->>'name', '.', 1), 'parse_' || pg_catalog.pg_backend_pid());
    type  oid;
BEGIN
    PERFORM set_config('search_path', caller_path, true), set_config('check_function_bodies', 'on', true);
    EXECUTE pg_catalog.format('CREATE FUNCTION %s(%s) RETURNS pg_catalog.oid LANGUAGE sql AS %L', parse, rowcast.expression_parameters(definition, 'group_by'),
                              pg_catalog.format(E'SELECT pg_catalog.pg_typeof(CASE WHEN false THEN\n%1$s\nEND)::pg_catalog.oid\n'
                                                'UNION ALL SELECT NULL FROM (SELECT DISTINCT CASE WHEN true THEN\n%1$s\nEND) AS compared WHERE false',
                                                definition->>'group_by'));
    EXECUTE pg_catalog.format('SELECT %s(NULL)', parse) INTO type;
    RAISE EXCEPTION USING ERRCODE = 'RC000', MESSAGE = 'parsed';
EXCEPTION
    WHEN SQLSTATE 'RC000' THEN
        RETURN type;
    WHEN OTHERS THEN
        RAISE EXCEPTION 'group_by: %', SQLERRM
            USING ERRCODE = 'datatype_mismatch',
                  DETAIL = format('The expression: %s', definition->>'group_by'),
                  HINT = 'Group by a value that can be compared for equality, such as r.document_id; for several columns use jsonb_build_array(...).';
END
$$;

-- The definition with what is generated of it for groups: the type, and the data that is sent if attach() was told of none. That is which group it is, and how many of its
-- rows the statement has changed; in the caller's words, since it is bound like any expression of the caller's, with numbers as in whole rows.
CREATE OR REPLACE FUNCTION rowcast.with_group(definition jsonb, type oid) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT definition || jsonb_build_object('group_type', type, 'data', coalesce(definition->>'data', format(
        E'pg_catalog.jsonb_build_object(''group'', %s, ''rows'', rows)',
        format(CASE rowcast.scalar_type(type)
                   WHEN 'numeric'::regtype THEN 'rowcast.exact_number(%s, true)'
                   WHEN 'bigint'::regtype THEN 'rowcast.exact_number(%s, false)'
                   ELSE '%s' END,
               format(E'pg_catalog.to_jsonb(CASE WHEN true THEN\n%s\nEND)', definition->>'group_by')))));
END;
