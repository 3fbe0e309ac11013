-- Refuses a text that is not one query by itself, and runs nothing of it.
--
-- What an adopter hands to use_grants() is later spliced between parentheses into DDL. A text such as
-- `NULL) FROM x; DROP TABLE y; --` parses there and not alone, `SELECT 1; DROP TABLE y` is two statements: opening a cursor
-- refuses both, because it takes one statement that returns rows, and runs nothing before the first fetch.
-- Names are looked up in pg_catalog alone. With public in the path anybody who may create a function there could plant
-- upper(varchar), which matches better than pg_catalog's upper(text), and have it run as whoever reads rowcast.grants.
CREATE OR REPLACE FUNCTION rowcast.check_parses_alone(query text, subject text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    probe refcursor;
BEGIN
    OPEN probe FOR EXECUTE query;
    CLOSE probe;
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION USING
        ERRCODE = SQLSTATE,
        MESSAGE = format('%s cannot be used: %s', subject, SQLERRM),
        HINT = 'It has to be one query, or one expression over r, that Postgres accepts by itself, every table, function and type of yours named with its schema.';
END
$$;

-- A null expression is fine: it says that anybody may be concerned.
CREATE OR REPLACE FUNCTION rowcast.check_user_expression(relation regclass, expression text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    subject CONSTANT text := format('the user expression for %s', relation);
BEGIN
    IF expression IS NULL THEN
        RETURN;
    END IF;
    PERFORM rowcast.check_parses_alone(format(E'SELECT %s\nFROM ONLY %s AS r', expression, relation), subject);
    PERFORM rowcast.check_parses_alone(format(E'SELECT CAST(%s\nAS text) FROM ONLY %s AS r', expression, relation), subject);
END
$$;
