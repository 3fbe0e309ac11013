-- What the payloads of the presets are made of: values as the built-in event types want them, whatever the app's columns hold. None of these may fail for any value,
-- because the app's write would.
--
-- They have no search_path of their own: bodies of this form are bound when they are made, and with one the planner could not take them apart, which makes a row several times as
-- dear.

-- A word without what does not count in it: In-Progress, IN_PROGRESS and inProgress are one.
CREATE OR REPLACE FUNCTION rowcast.word(word text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN translate(lower(word), ' _-', '');

-- What a word of the app means; * stands for all that are not listed. The words of the list are written as word() writes them.
CREATE OR REPLACE FUNCTION rowcast.meaning(words jsonb, word text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN coalesce(words ->> rowcast.word(word), words ->> '*');

-- A number that JSON can hold, or NULL. Two of them, so that what is no number is refused when a table is attached and not when a row is written.
CREATE OR REPLACE FUNCTION rowcast.json_number(value numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN abs(value) < 'Infinity' THEN value END;

CREATE OR REPLACE FUNCTION rowcast.json_number(value double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN abs(value) < 'Infinity' THEN value END;

-- How much of the whole, in percent: 0 to 100, or NULL.
CREATE OR REPLACE FUNCTION rowcast.percent(part double precision, whole double precision) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN abs(part) < 'Infinity' AND abs(whole) < 'Infinity' AND whole > 0
            -- As numerics: the quotient of two doubles may be too large for a third.
            THEN trim_scale(round(100 * least(1, greatest(0, part::numeric / whole::numeric)), 2)) END;

-- By itself: a numeric can be too large for a double.
CREATE OR REPLACE FUNCTION rowcast.percent(part numeric, whole numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN abs(part) < 'Infinity' AND abs(whole) < 'Infinity' AND whole > 0
            THEN trim_scale(round(100 * (least(whole, greatest(0, part)) / whole), 2)) END;

-- How far a document is. Where the app does not count, its stage tells.
CREATE OR REPLACE FUNCTION rowcast.document_at(stage text, percent numeric) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object(
    'stage', stage,
    'progress', coalesce(to_jsonb(percent), '{"upload": 0, "ocr": 20, "chunking": 40, "embedding": 60, "indexing": 80, "completed": 100, "failed": 0}'::jsonb -> stage),
    'status', CASE WHEN stage IN ('completed', 'failed') THEN stage ELSE 'processing' END);

-- An object, or NULL for anything else.
CREATE OR REPLACE FUNCTION rowcast.object_or_null(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE jsonb_typeof(value) WHEN 'object' THEN value END;

-- What may be sent of a json column of which nobody has said what is in it: all but what looks secret. Most have nothing of that kind, and one look at their text tells.
CREATE OR REPLACE FUNCTION rowcast.without_secret_keys(value jsonb) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN pg_column_size(value) > 16777216 OR value::text COLLATE "C" ~* rowcast.secret_needles()
            THEN rowcast.without_secrets(NULL, jsonb_build_object('all', value), jsonb_build_object('all', value), NULL) -> 'all'
            ELSE value END;
