-- Indentation for generated code: DBAs read it in preview() and \df+.
CREATE OR REPLACE FUNCTION rowcast.indented(lines text, spaces integer) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT regexp_replace(lines, '^(?=.)', repeat(' ', spaces), 'gn');
END;

-- All lines but the first, which stands behind something already.
CREATE OR REPLACE FUNCTION rowcast.indented_but_first(lines text, spaces integer) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT substr(rowcast.indented(lines, spaces), spaces + 1);
END;
