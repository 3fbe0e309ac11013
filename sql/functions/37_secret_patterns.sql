-- What rowcast.secret_patterns mean, compiled into two one-liners whenever they change: secret_names() is all patterns in one, and secret_needles() is for a first,
-- quick look at the text of a payload, which misses nothing and mostly finds nothing. A regular expression costs by its size, and more than a few dozen of them, one after
-- the other, are compiled anew each time.

-- Every name that a pattern stands for, or NULL if it is not of the plain kind: letters, digits, _, groups, alternatives and ?, with ^ and $.
CREATE OR REPLACE FUNCTION rowcast.spelled_out(pattern text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most_names CONSTANT integer := 1000;
    names      text[] := ARRAY[lower(pattern)];
BEGIN
    IF pattern !~ '^[a-zA-Z0-9_()|?^$]+$' OR pattern ~ '\(\?|\?\?' THEN
        RETURN NULL;
    END IF;
    WHILE array_to_string(names, ' ') ~ '[()?]' LOOP
        -- The innermost group of each by its alternatives, or where there is none the last optional letter by itself and nothing.
        names := ARRAY(
            SELECT DISTINCT coalesce(grouped.part[1] || o.one || grouped.part[4], optional.part[1] || o.one || optional.part[3], n.name)
            FROM unnest(names) AS n (name)
            CROSS JOIN LATERAL (SELECT regexp_match(n.name, '^(.*)\(([^()]*)\)(\??)(.*)$')) AS grouped (part)
            CROSS JOIN LATERAL (SELECT CASE WHEN grouped.part IS NULL THEN regexp_match(n.name, '^(.*)([^()])\?(.*)$') END) AS optional (part)
            LEFT JOIN LATERAL (
                SELECT unnest(string_to_array(grouped.part[2], '|') || CASE grouped.part[3] WHEN '?' THEN ARRAY[''] END)
                UNION ALL
                SELECT unnest(ARRAY['', optional.part[2]]) WHERE optional.part IS NOT NULL
            ) AS o (one) ON true
        );
        IF cardinality(names) > most_names THEN
            RETURN NULL;
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT one FROM unnest(names) AS n (name) CROSS JOIN unnest(string_to_array(n.name, '|')) AS one);
END
$$;

-- A regular expression for all that begins with one of these texts; what several begin with is in it once.
CREATE OR REPLACE FUNCTION rowcast.any_of(texts text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE WHEN '' = ANY (texts) THEN '' ELSE (
        SELECT string_agg(first || CASE WHEN cardinality(rests) = 1 THEN rests[1] ELSE format('(?:%s)', rowcast.any_of(rests)) END, '|' ORDER BY first)
        FROM (SELECT left(t, 1) AS first, array_agg(DISTINCT substr(t, 2)) AS rests FROM unnest(texts) AS t GROUP BY left(t, 1)) AS branches) END;
END
$$;

-- Compiled like the settings (05_settings.sql says why), so that a change of the patterns counts from the next statement on.
CREATE OR REPLACE FUNCTION rowcast.apply_secret_patterns() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entry   record;
    names   text;
    needles text;
BEGIN
    FOR entry IN SELECT p.pattern FROM rowcast.secret_patterns AS p LOOP
        BEGIN
            PERFORM '' ~* entry.pattern;
        EXCEPTION WHEN invalid_regular_expression THEN
            RAISE EXCEPTION 'the secret pattern "%" is no regular expression: %', entry.pattern, SQLERRM
                USING ERRCODE = 'invalid_regular_expression', HINT = 'Every write to an attached table would fail with it. Correct or delete it.';
        END;
    END LOOP;

    IF EXISTS (SELECT FROM rowcast.secret_patterns AS p WHERE rowcast.spelled_out(p.pattern) IS NULL) THEN
        -- No text is without an empty one: every payload is looked through key by key, and every key pattern by pattern.
        needles := '';
    ELSE
        names := '(?n)' || coalesce((SELECT string_agg(format('(?:%s)', p.pattern), '|' ORDER BY p.pattern) FROM rowcast.secret_patterns AS p), '(?!)');
        -- A key stands between quotes, and words in it are parted by something, or by nothing where a capital letter begins the next. One needle that is within another
        -- finds all that the other does.
        SELECT coalesce(replace(rowcast.any_of(array_agg(n.needle)), '_', '[-_. :/]*'), '(?!)') INTO needles
        FROM (WITH spelled AS (
                  SELECT DISTINCT ON (replace(s.needle, '_', '')) s.needle, replace(s.needle, '_', '') AS bare
                  FROM (SELECT replace(replace(btrim(name, '_'), '^', '"'), '$', '"') AS needle
                        FROM rowcast.secret_patterns AS p CROSS JOIN unnest(rowcast.spelled_out(p.pattern)) AS name) AS s
                  ORDER BY replace(s.needle, '_', ''), length(s.needle) DESC
              )
              SELECT s.needle FROM spelled AS s
              WHERE NOT EXISTS (SELECT FROM spelled AS o WHERE o.bare <> s.bare AND strpos(s.bare, o.bare) > 0)) AS n;
    END IF;
    EXECUTE format($f$CREATE OR REPLACE FUNCTION rowcast.secret_names() RETURNS text LANGUAGE sql STABLE RETURN %L::text$f$, names);
    EXECUTE format($f$CREATE OR REPLACE FUNCTION rowcast.secret_needles() RETURNS text LANGUAGE sql STABLE RETURN %L::text$f$, needles);
END
$$;

-- Hidden columns are folded into plans too (31_hidden_columns.sql); replacing the one-liners of the settings makes every session plan anew.
CREATE OR REPLACE FUNCTION rowcast.secret_patterns_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rowcast.apply_secret_patterns();
    PERFORM rowcast.apply_settings();
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER secret_patterns_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rowcast.secret_patterns
    FOR EACH STATEMENT EXECUTE FUNCTION rowcast.secret_patterns_changed();

DO $$ BEGIN PERFORM rowcast.apply_secret_patterns(); END $$;

-- Postgres replaces no function by one whose parameters have other names. What was made between two releases goes; what a release has made keeps its names, since a
-- function that is dropped while somebody writes may be missed.
DO $$ BEGIN
    IF (SELECT p.proargnames <> '{column_name}' FROM pg_proc AS p WHERE p.oid = to_regprocedure('rowcast.looks_secret(text)')) THEN
        DROP FUNCTION rowcast.looks_secret(text);
    END IF;
END $$;

-- A name counts in snake case: resetToken is reset_token, JWTSecret is JWT_Secret. It counts as it is, too (passWord), and with one underscore for what parts
-- words in JSON and in the names of headers (Set-Cookie). One on each line: patterns that are all of the plain kind take the beginning and the end of a line for that of a name.
CREATE OR REPLACE FUNCTION rowcast.looks_secret(column_name text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE
        WHEN rowcast.secret_names() IS NOT NULL
            THEN concat_ws(chr(10), spelled.as_it_is, spelled.snake, regexp_replace(spelled.snake, '[-. :/]+', '_', 'g')) ~* rowcast.secret_names()
        ELSE EXISTS (
            SELECT FROM rowcast.secret_patterns AS p
            WHERE spelled.as_it_is ~* p.pattern OR spelled.snake ~* p.pattern OR regexp_replace(spelled.snake, '[-. :/]+', '_', 'g') ~* p.pattern) END
    FROM (SELECT column_name AS as_it_is, regexp_replace(regexp_replace(column_name, '([A-Z])([A-Z][a-z])', '\1_\2', 'g'), '([a-z0-9])([A-Z])', '\1_\2', 'g') AS snake) AS spelled;
END;
