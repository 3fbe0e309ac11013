-- A whole row that cannot be sent as it is: it is too large or was no JSON (NULL), holds numbers that a client would round, or what looks secret. Most rows are none of that,
-- which the trigger's statement tells by looking (46_events_function.sql). What is to be done about the others is here, since a statement pays for the setting up of every
-- branch that it does not take.
--
-- What is only known to the planner (31_hidden_columns.sql) comes as arguments: inexact is the path to numbers that would be rounded, nests whether there are columns with something
-- inside, flat which have nothing. Rows that nest and have no such numbers are here because secrets were found in them.
--
-- No search_path of its own: whoever calls it has one, and it would cost every row of a table with numerics as much as all the rest.
CREATE OR REPLACE FUNCTION rowcast.made_sendable(attachment text, data jsonb, source_key text, inexact jsonpath, nests boolean, flat text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    is_inexact boolean := data OPERATOR(pg_catalog.@?) inexact;
    nested     jsonb;
    exact      jsonb := data;
BEGIN
    IF data IS NULL OR pg_catalog.pg_column_size(data) OPERATOR(pg_catalog.>) rowcast.max_payload_bytes() THEN
        RETURN rowcast.truncated(attachment, source_key);
    END IF;
    IF is_inexact THEN
        exact := rowcast.exact_numbers(attachment, data);
    END IF;
    IF nests THEN
        nested := data OPERATOR(pg_catalog.-) flat;
        IF is_inexact IS NOT TRUE OR pg_catalog.pg_column_size(data) OPERATOR(pg_catalog.>) 16777216
           OR nested::pg_catalog.text COLLATE pg_catalog."C" OPERATOR(pg_catalog.~*) rowcast.secret_needles() THEN
            RETURN rowcast.without_secrets(attachment, exact, nested, source_key);
        END IF;
    END IF;
    RETURN exact;
END
$$;
