-- Refuses a text that is not one query, or one expression over r, by itself, and runs nothing of it.
--
-- What an adopter hands to use_grants() is later spliced between parentheses into DDL. Alone in a function's body, `NULL) FROM x; DROP
-- TABLE y; --` does not parse; between parentheses `SELECT 1; DROP TABLE y` does not. What parses both ways has parentheses that match
-- among themselves and no statement after the first, so it stays where it is put.
-- Postgres parses and analyses the body of an SQL function when it is created, and does not plan it: planning would already run
-- immutable functions, which somebody else may own, as the DBA.
-- Names are looked up in pg_catalog alone. With public in the path anybody who may create a function there could plant
-- upper(varchar), which matches better than pg_catalog's upper(text), and have it run as whoever reads rowcast.grants.
CREATE OR REPLACE FUNCTION rowcast.check_parses(body text, parameter text, subject text, hint text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET check_function_bodies = on AS $$
BEGIN
    EXECUTE format('CREATE FUNCTION rowcast_watch.parse(%s) RETURNS void LANGUAGE sql AS %L', parameter, body);
    EXECUTE format('DROP FUNCTION rowcast_watch.parse(%s)', parameter);
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION USING
        ERRCODE = SQLSTATE,
        MESSAGE = format('%s cannot be used: %s', subject, SQLERRM),
        HINT = hint || ' Name every table, function and type of yours with its schema.';
END
$$;

-- A null expression is fine: it says that anybody may be concerned.
CREATE OR REPLACE FUNCTION rowcast.check_user_expression(relation regclass, expression text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    subject   CONSTANT text := format('the user expression for %s', relation);
    parameter CONSTANT text := format('r %s', relation);
    hint      CONSTANT text := format('Write one SQL expression over the row r, which has the columns %s.', (
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM pg_attribute a
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
    ));
BEGIN
    IF expression IS NULL THEN
        RETURN;
    END IF;
    PERFORM rowcast.check_parses(format('SELECT %s', expression), parameter, subject, hint);
    PERFORM rowcast.check_parses(format(E'SELECT CAST(%s\nAS text)', expression), parameter, subject, hint);
END
$$;
