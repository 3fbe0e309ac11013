-- What a query for use_messages() gives, column by column: what each becomes, which may be left out (as good as null), and which types are taken for it.
-- Null accepted: whatever there is, as its text.
CREATE OR REPLACE FUNCTION rowcast.message_columns()
RETURNS TABLE (place integer, name text, type regtype, is_needed boolean, accepted regtype[], advice text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    VALUES
        (1,  'chatbot_id',       'text'::regtype, true, NULL::regtype[], NULL::text),
        (2,  'organization_id',  'text', true, NULL, NULL),
        (3,  'session_id',       'text', true, NULL, NULL),
        (4,  'role',             'text', true, NULL, NULL),
        (5,  'created_at',       'timestamptz', true, '{timestamptz}', 'Say whose clock it is: created_at AT TIME ZONE ''UTC'' AS created_at.'),
        (6,  'response_time_ms', 'numeric', false, '{smallint,integer,bigint,real,double precision,numeric}',
             'Of an interval: 1000 * extract(epoch FROM took) AS response_time_ms.'),
        (7,  'failed',           'boolean', false, '{boolean}', 'Compare: status = ''failed'' AS failed.'),
        (8,  'input_tokens',     'bigint', false, '{smallint,integer,bigint,numeric}', NULL),
        (9,  'output_tokens',    'bigint', false, '{smallint,integer,bigint,numeric}', NULL),
        (10, 'model',            'text', false, NULL, NULL),
        (11, 'satisfaction',     'numeric', false, '{smallint,integer,bigint,real,double precision,numeric}', NULL)
$$;

-- The view that a query becomes. Always of the same columns and types, so that it can be replaced; the collation is named for the same reason.
CREATE OR REPLACE FUNCTION rowcast.messages_definition(query text, given text[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(E'CREATE OR REPLACE VIEW rowcast.messages AS\nSELECT %s\nFROM (%s\n) AS given',
        string_agg(
            format('CAST(%s AS %s)%s AS %I',
                   CASE WHEN c.name = ANY (given) THEN format('given.%I', c.name) ELSE 'NULL' END, c.type,
                   CASE WHEN c.type = 'text'::regtype THEN ' COLLATE "default"' ELSE '' END, c.name),
            E',\n       ' ORDER BY c.place),
        query)
    FROM rowcast.message_columns() c
$$;

-- Refuses a query that is not one, or does not give what it has to; which of the columns it gives.
CREATE OR REPLACE FUNCTION rowcast.check_messages_query(query text) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hint CONSTANT text := (
        SELECT format('Write one SELECT that gives %s, and what there is of %s.',
                      string_agg(name, ', ' ORDER BY place) FILTER (WHERE is_needed), string_agg(name, ', ' ORDER BY place) FILTER (WHERE NOT is_needed))
        FROM rowcast.message_columns());
    given   text[];
    wrong   text;
    misfit  record;
BEGIN
    PERFORM rowcast.check_parses(query, '', 'the query', hint);
    PERFORM rowcast.check_parses(format(E'SELECT FROM (%s\n) AS given', query), '', 'the query', hint);
    -- A view, because Postgres tells a query's columns no other way.
    EXECUTE format(E'CREATE VIEW rowcast.messages_candidate AS SELECT given.* FROM (%s\n) AS given', query);
    SELECT coalesce(array_agg(a.attname::text), '{}') INTO given
    FROM pg_attribute a WHERE a.attrelid = 'rowcast.messages_candidate'::regclass AND a.attnum > 0;
    SELECT c.name, c.advice, format_type(a.atttypid, a.atttypmod) AS kind, c.accepted INTO misfit
    FROM rowcast.message_columns() c
    JOIN pg_attribute a ON a.attrelid = 'rowcast.messages_candidate'::regclass AND a.attname = c.name
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE t.typcategory = 'A' OR rowcast.scalar_type(a.atttypid)::regtype <> ALL (c.accepted)
    ORDER BY c.place LIMIT 1;
    DROP VIEW rowcast.messages_candidate;

    SELECT string_agg(c.name, ', ' ORDER BY c.place) INTO wrong FROM rowcast.message_columns() c WHERE c.is_needed AND c.name <> ALL (given);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the query does not give %', wrong USING ERRCODE = 'invalid_parameter_value', HINT = hint;
    END IF;
    SELECT string_agg(g.name, ', ' ORDER BY g.name) INTO wrong
    FROM unnest(given) AS g (name) WHERE g.name NOT IN (SELECT c.name FROM rowcast.message_columns() c);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the query gives %, which no message has', wrong USING ERRCODE = 'invalid_parameter_value', HINT = hint;
    ELSIF misfit.name IS NOT NULL THEN
        RAISE EXCEPTION 'the query gives % as %, not as %', misfit.name, misfit.kind, array_to_string(misfit.accepted, ' or ')
            USING ERRCODE = 'datatype_mismatch',
                  HINT = coalesce(CASE WHEN misfit.kind = 'text' AND misfit.name <> 'created_at' THEN 'A NULL without a type is text: leave the column out instead.' END,
                                  misfit.advice, 'Cast it.');
    END IF;
    RETURN given;
END
$$;
