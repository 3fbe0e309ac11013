-- Generates the heart of an attachment: which events the change of a row from o to n makes.
--
-- Those who watch see a row while the filter holds for it, in its organization (or, if private, as its user). So a
-- change of the key, of the organization or of a private row's user is a DELETE for whoever saw the old row and an INSERT
-- for whoever sees the new one; leaving or entering the filter is one of the two; and only what stays in view is an
-- UPDATE, if anything changed that counts.

-- What decides who sees a row, or which group it is in and who sees that.
CREATE OR REPLACE FUNCTION rowcast.identity_parts(definition jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT ARRAY[CASE WHEN definition->>'group_by' IS NULL THEN 'key' ELSE 'group_by' END] || CASE WHEN definition->>'organization_id' IS NOT NULL THEN ARRAY['organization_id'] ELSE '{}' END
                        || CASE WHEN (definition->>'private')::boolean THEN ARRAY['user_id'] ELSE '{}' END;
END;

-- The call of an expression's function for a row, or NULL where there is no such expression.
CREATE OR REPLACE FUNCTION rowcast.part(definition jsonb, part text, of_row text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN part IN ('key', 'data') OR definition->>part IS NOT NULL
                THEN format('%s_%s(%s)', definition->>'name', part, of_row)
                ELSE 'NULL' END;
END;

-- The select list that describes a row, under the names of the outbox's columns.
CREATE OR REPLACE FUNCTION rowcast.described_row(definition jsonb, of_row text, without text[] DEFAULT '{}') RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT string_agg(rowcast.part(definition, p.part, of_row) || ' AS ' || p.part, E',\n' ORDER BY n)
    FROM unnest(ARRAY['key', 'organization_id', 'user_id', 'chatbot_id', 'session_id', 'priority', 'data']) WITH ORDINALITY p (part, n)
    WHERE p.part <> ALL (without) AND (p.part IN ('key', 'data') OR definition->>p.part IS NOT NULL);
END;

-- Whom a row is for whose organization is NULL. In an app's table that is a parent that could not be found: nobody may see what is perhaps somebody's. In a
-- producer's own it is what the row says: it belongs to no organization.
CREATE OR REPLACE FUNCTION rowcast.without_organization(definition jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN definition->>'source' IN (SELECT 'rowcast.' || t FROM unnest(rowcast.producer_tables()) t) THEN 'platform' ELSE 'nobody' END;
END;

-- From such a description e to a row of the outbox: from event_type to data, in the order of its columns.
CREATE OR REPLACE FUNCTION rowcast.outbox_row(definition jsonb, operation text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format(E'%1$L, %2$s,\n'
                  '%8$s,\n'
                  '%3$L, e.key, %4$s, %5$s,\n'
                  'CASE WHEN pg_column_size(e.data) <= rowcast.max_payload_bytes()%6$s THEN e.data\n'
                  '     ELSE %7$s END',
                  definition->>'event_type',
                  CASE
                      WHEN (definition->>'private')::boolean AND definition->>'organization_id' IS NOT NULL
                          THEN 'CASE WHEN e.organization_id IS NULL OR e.user_id IS NULL THEN ''nobody'' ELSE ''user'' END'
                      WHEN (definition->>'private')::boolean THEN 'CASE WHEN e.user_id IS NULL THEN ''nobody'' ELSE ''user'' END'
                      WHEN definition->>'organization_id' IS NOT NULL
                          THEN format('CASE WHEN e.organization_id IS NULL THEN %L ELSE ''organization'' END', rowcast.without_organization(definition))
                      ELSE '''platform''' END,
                  definition->>'source',
                  operation,
                  CASE WHEN definition->>'priority' IS NULL THEN '''medium'''
                       ELSE 'CASE WHEN e.priority IN (''low'', ''medium'', ''high'', ''critical'') THEN e.priority ELSE ''medium'' END' END,
                  CASE WHEN definition->>'data' IS NULL
                       THEN format(E'\n          AND (e.data @? rowcast.inexact_numbers(%L)) IS NOT TRUE\n          AND (%s) IS NOT TRUE',
                                   definition->>'name', rowcast.may_hold_secrets(definition->>'name', 'e.data')) ELSE '' END,
                  CASE WHEN definition->>'data' IS NULL
                       THEN format('rowcast.made_sendable(%1$L, e.data, e.key, rowcast.inexact_numbers(%1$L), rowcast.may_nest(%1$L), rowcast.flat_columns(%1$L))', definition->>'name')
                       WHEN definition->>'group_by' IS NULL THEN format('rowcast.truncated(%L, e.key)', definition->>'name')
                       ELSE 'jsonb_build_object(''truncated'', true, ''group'', e.key)' END,
                  -- What there is no expression for is a constant here: each column that comes from below costs every statement its setting up.
                  (SELECT string_agg(CASE WHEN definition->>p.part IS NULL THEN 'NULL' ELSE 'e.' || p.part END, ', ' ORDER BY n)
                   FROM unnest(ARRAY['organization_id', 'user_id', 'chatbot_id', 'session_id']) WITH ORDINALITY p (part, n)));
END;

-- The FROM clause that yields, as e, whoever is concerned by the change of a row from o to n: those who saw o, those who see n, or those who see both.
-- Its fences (OFFSET 0), and the one around whatever describes the row, make Postgres evaluate each expression once for each row: what decides, before it is known
-- whether there is an event at all, and what describes, only if there is one.
CREATE OR REPLACE FUNCTION rowcast.concerned_by(definition jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts    text[] := rowcast.identity_parts(definition);
    filtered boolean := definition->>'filter' IS NOT NULL;
    was_seen text := 'change <> ''INSERT''' || CASE WHEN filtered THEN format(' AND %s IS TRUE', rowcast.part(definition, 'filter', 'o')) ELSE '' END;
    is_seen  text := 'change <> ''DELETE''' || CASE WHEN filtered THEN format(' AND %s IS TRUE', rowcast.part(definition, 'filter', 'n')) ELSE '' END;
    counts   text := CASE WHEN jsonb_typeof(definition->'changed') = 'object'
                          THEN format('%s_changed(o, n)', definition->>'name') ELSE 'true' END;
BEGIN
    RETURN format($query$FROM (
    SELECT d.*, was_seen AND is_seen AND %s AS stays
    FROM (
        SELECT v.*,
%s
        FROM (SELECT %s AS was_seen,
                     %s AS is_seen
              WHERE change <> 'UPDATE' OR o *<> n
              OFFSET 0) AS v
        OFFSET 0
    ) AS d
) AS c
CROSS JOIN LATERAL (VALUES
    ('DELETE', o, %s, was_seen AND NOT stays),
    (CASE WHEN stays THEN 'UPDATE' ELSE 'INSERT' END, n, %s, is_seen AND (NOT stays OR %s))
) AS e (operation, r, %s, wanted)
WHERE e.wanted$query$,
        (SELECT string_agg(format('old_%1$s IS NOT DISTINCT FROM new_%1$s', p), ' AND ' ORDER BY i) FROM unnest(parts) WITH ORDINALITY u (p, i)),
        (SELECT string_agg(format(E'               CASE WHEN was_seen THEN %s END AS old_%s,\n               CASE WHEN is_seen THEN %s END AS new_%s',
                                  rowcast.part(definition, p, 'o'), p, rowcast.part(definition, p, 'n'), p), E',\n' ORDER BY i)
         FROM unnest(parts) WITH ORDINALITY u (p, i)),
        was_seen, is_seen,
        (SELECT string_agg('old_' || p, ', ' ORDER BY i) FROM unnest(parts) WITH ORDINALITY u (p, i)),
        (SELECT string_agg('new_' || p, ', ' ORDER BY i) FROM unnest(parts) WITH ORDINALITY u (p, i)),
        counts,
        array_to_string(parts, ', '));
END
$$;

CREATE OR REPLACE FUNCTION rowcast.events_query(definition jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts text[] := rowcast.identity_parts(definition);
BEGIN
    RETURN format($query$SELECT %s
FROM (
    SELECT e.operation, %s,
%s
%s
    OFFSET 0
) AS e$query$,
        rowcast.indented_but_first(rowcast.outbox_row(definition, 'e.operation'), 7),
        (SELECT string_agg('e.' || p, ', ' ORDER BY i) FROM unnest(parts) WITH ORDINALITY u (p, i)),
        rowcast.indented(rowcast.described_row(definition, 'e.r', parts), 11),
        rowcast.indented(rowcast.concerned_by(definition), 4));
END
$$;

CREATE OR REPLACE FUNCTION rowcast.event_columns() RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN E'RETURNS TABLE (event_type text, audience text, organization_id text, user_id text, chatbot_id text, session_id text,\n'
        '               source text, source_key text, operation text, priority text, data jsonb)';

-- A function's body. on_error 'fail': a query that the planner merges into that of the trigger. 'skip': each change by itself, guarded by a
-- subtransaction; one whose expressions fail makes no event, and a row in rowcast.capture_errors.
CREATE OR REPLACE FUNCTION rowcast.captured(definition jsonb, query text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE definition->>'on_error'
        WHEN 'fail' THEN format(E'LANGUAGE sql STABLE\nBEGIN ATOMIC\n%s;\nEND;', rowcast.indented(query, 4))
        ELSE format(E'LANGUAGE plpgsql VOLATILE\nAS $rowcast$\n#variable_conflict use_column\nBEGIN\n    RETURN QUERY\n%s;\n'
                    'EXCEPTION WHEN OTHERS THEN\n'
                    '    INSERT INTO rowcast.capture_errors (source, event_type, operation, sqlstate, message)\n'
                    '    VALUES (%L, %L, change, SQLSTATE, SQLERRM);\n'
                    'END\n$rowcast$;',
                    rowcast.indented(query, 4), definition->>'source', definition->>'event_type')
    END;
END;

CREATE OR REPLACE FUNCTION rowcast.events_function(definition jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format(E'-- Which events the change of a row from o to n makes. An UPDATE is a DELETE for those who no longer see the row.\n'
                  'CREATE FUNCTION %1$s_events(change text, o %2$s, n %2$s)\n%3$s\n%4$s',
                  definition->>'name', rowcast.qualified_name((definition->>'relation')::oid), rowcast.event_columns(),
                  rowcast.captured(definition, rowcast.events_query(definition)));
END;
