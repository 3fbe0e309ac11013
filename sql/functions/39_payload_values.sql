-- What the payloads of the presets are made of: values as the built-in event types want them, whatever the app's columns hold. None of these may fail for any value,
-- because the app's write would.

-- A word without what does not count in it: In-Progress, IN_PROGRESS and inProgress are one.
CREATE OR REPLACE FUNCTION rowcast.word(word text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN translate(lower(word), ' _-', '');

-- What a word of the app means; * stands for all that are not listed. The words of the list are written as word() writes them.
CREATE OR REPLACE FUNCTION rowcast.meaning(words jsonb, word text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN coalesce(words ->> rowcast.word(word), words ->> '*');

-- A number that JSON can hold, or NULL. Two of them, so that what is no number is refused when a table is attached and not when a row is written.
CREATE OR REPLACE FUNCTION rowcast.json_number(value numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN abs(value) < 'Infinity' THEN value END;

CREATE OR REPLACE FUNCTION rowcast.json_number(value double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN abs(value) < 'Infinity' THEN value END;

-- How much of the whole, in percent: 0 to 100, or NULL.
CREATE OR REPLACE FUNCTION rowcast.percent(part double precision, whole double precision) RETURNS numeric
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN abs(part) < 'Infinity' AND abs(whole) < 'Infinity' AND whole > 0
            -- As numerics: the quotient of two doubles may be too large for a third.
            THEN trim_scale(round(100 * least(1, greatest(0, part::numeric / whole::numeric)), 2)) END;

-- An object without what looks secret in it, or NULL for anything else.
CREATE OR REPLACE FUNCTION rowcast.json_object(value jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE jsonb_typeof(value) WHEN 'object' THEN
    rowcast.without_secrets(NULL, jsonb_build_object('object', value), jsonb_build_object('object', value), NULL) -> 'object' END;
