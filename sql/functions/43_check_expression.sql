-- Is this text one SQL expression over r, and nothing else?
--
-- An expression is spliced into the functions that attach() generates, so it is parsed alone first, by Postgres itself
-- and without being run: creating an SQL function parses and analyses its body. It has to fit three frames. A text that
-- closes the parenthesis of the first with one of its own does not fit the bracket of the second, and the other way
-- round; one that carries a list of expressions does not fit the third; and all three refuse statements, aggregates, sets of
-- rows and unfinished comments. So what fits all of them is a single expression.
CREATE OR REPLACE FUNCTION rowcast.check_expression(definition jsonb, argument text, caller_path text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parameters text := rowcast.expression_parameters(definition, argument);
    given    text := definition->>argument;
    frame    text;
    problem  text;
    detail   text;
BEGIN
    IF btrim(given, E' \t\r\n') = '' THEN
        RAISE EXCEPTION '% is empty', argument
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave the argument out, or give an SQL expression over r.';
    END IF;
    FOREACH frame IN ARRAY ARRAY[
        E'SELECT WHERE (\n%s\n) IS NULL',
        E'SELECT WHERE ARRAY[\n%s\n] IS NULL',
        E'SELECT WHERE CASE WHEN true THEN\n%s\nEND IS NULL']
    LOOP
        BEGIN
            PERFORM set_config('search_path', caller_path, true), set_config('check_function_bodies', 'on', true);
            EXECUTE pg_catalog.format('CREATE FUNCTION %I.%I(%s) RETURNS void LANGUAGE sql AS %L',
                                      split_part(definition->>'name', '.', 1), 'parse_' || pg_catalog.pg_backend_pid(), parameters, pg_catalog.format(frame, given));
            RAISE EXCEPTION USING ERRCODE = 'RC000', MESSAGE = 'parsed';
        EXCEPTION
            WHEN SQLSTATE 'RC000' THEN NULL;
            WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, detail = PG_EXCEPTION_HINT;
                RAISE EXCEPTION '%: not an expression over r: %', argument, problem
                    USING ERRCODE = SQLSTATE,
                          DETAIL = format('The expression: %s', given),
                          HINT = concat_ws(' ', nullif(detail, ''),
                                           CASE WHEN SQLSTATE IN ('42P01', '42703') THEN
                                               (SELECT format('The columns of r: %s.', string_agg(attname, ', ' ORDER BY attnum)) FROM pg_attribute
                                                WHERE attrelid = (definition->>'relation')::oid AND attnum > 0 AND NOT attisdropped) END,
                                           'Write one SQL expression in which r is the row, for example r.organization_id; a text constant needs quotes of its own.');
        END;
    END LOOP;
END
$$;
