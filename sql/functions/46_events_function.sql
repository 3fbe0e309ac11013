-- Generates the heart of an attachment: what the change of a row from o to n means to those who watch.
--
-- Those who watch see a row while the filter holds for it, in its organization (or, if private, as its user). So a
-- change of the key, of the organization or of a private row's user is a DELETE for whoever saw the old row and an INSERT
-- for whoever sees the new one; leaving or entering the filter is one of the two; and only what stays in view is an
-- UPDATE, if anything changed that counts.
--
-- Two fences (OFFSET 0) make Postgres evaluate each expression once for each row: what decides, before it is known
-- whether there is an event at all, and what describes, only if there is one.
CREATE OR REPLACE FUNCTION rowcast.events_query(definition jsonb) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name          text    := 'rowcast_capture.' || (definition->>'name');
    private       boolean := (definition->>'private')::boolean;
    of_tenant     boolean := definition->>'organization_id' IS NOT NULL;
    filtered      boolean := definition->>'filter' IS NOT NULL;
    was           text    := 'change <> ''INSERT''' || CASE WHEN filtered THEN format(' AND %s_filter(o) IS TRUE', name) ELSE '' END;
    is_now        text    := 'change <> ''DELETE''' || CASE WHEN filtered THEN format(' AND %s_filter(n) IS TRUE', name) ELSE '' END;
    decides       text[]  := ARRAY['key'] || CASE WHEN of_tenant THEN ARRAY['organization_id'] ELSE '{}' END
                                          || CASE WHEN private THEN ARRAY['user_id'] ELSE '{}' END;
    describes     text[]  := ARRAY['chatbot_id', 'session_id', 'priority'] || CASE WHEN private THEN '{}' ELSE ARRAY['user_id'] END;
    audience      text    := CASE
                                 WHEN private AND of_tenant THEN 'CASE WHEN e.organization_id IS NULL OR e.user_id IS NULL THEN ''nobody'' ELSE ''user'' END'
                                 WHEN private THEN 'CASE WHEN e.user_id IS NULL THEN ''nobody'' ELSE ''user'' END'
                                 WHEN of_tenant THEN 'CASE WHEN e.organization_id IS NULL THEN ''nobody'' ELSE ''organization'' END'
                                 ELSE '''platform''' END;
    exact         text    := CASE WHEN definition->>'data' IS NULL
                                  THEN format(E'CASE WHEN e.data @? rowcast.inexact_numbers(%1$L) THEN rowcast.exact_numbers(%1$L, e.data) ELSE e.data END', definition->>'name')
                                  ELSE 'e.data' END;
BEGIN
    RETURN format($query$SELECT %1$L,
       %2$s,
       e.organization_id, e.user_id, e.chatbot_id, e.session_id, %3$L,
       e.key, e.operation,
       %4$s,
       CASE WHEN pg_column_size(e.data) <= rowcast.max_payload_bytes()
            THEN %5$s
            ELSE rowcast.truncated(%6$L, e.key) END
FROM (
    SELECT e.operation, %7$s,
           %8$s,
           %9$s_data(e.r) AS data
    FROM (
        SELECT %10$s AS was_seen,
               %11$s AS is_seen,
               %12$s
        WHERE change <> 'UPDATE' OR o *<> n
        OFFSET 0
    ) AS c
    CROSS JOIN LATERAL (VALUES
        ('DELETE', o, %13$s,
         was_seen AND NOT (is_seen AND %14$s)),
        (CASE WHEN was_seen AND %14$s THEN 'UPDATE' ELSE 'INSERT' END, n, %15$s,
         is_seen AND NOT (was_seen AND %14$s AND %16$s))
    ) AS e (operation, r, %17$s, wanted)
    WHERE e.wanted
    OFFSET 0
) AS e$query$,
        definition->>'event_type', audience, definition->>'source',
        CASE WHEN definition->>'priority' IS NULL THEN '''medium'''
             ELSE 'CASE WHEN e.priority IN (''low'', ''medium'', ''high'', ''critical'') THEN e.priority ELSE ''medium'' END' END,
        exact,
        definition->>'name',
        (SELECT string_agg('e.' || d, ', ') FROM unnest(decides) d) || CASE WHEN of_tenant THEN '' ELSE ', NULL AS organization_id' END,
        (SELECT string_agg(CASE WHEN definition->>d IS NULL THEN 'NULL AS ' || d ELSE format('%s_%s(e.r) AS %s', name, d, d) END, ', ') FROM unnest(describes) d),
        name,
        was, is_now,
        (SELECT string_agg(format(E'CASE WHEN %s THEN %s_%s(o) END AS old_%s,\n               CASE WHEN %s THEN %s_%s(n) END AS new_%s',
                                  was, name, d, d, is_now, name, d, d), E',\n               ') FROM unnest(decides) d),
        (SELECT string_agg('old_' || d, ', ') FROM unnest(decides) d),
        (SELECT string_agg(format('old_%s IS NOT DISTINCT FROM new_%s', d, d), ' AND ') FROM unnest(decides) d),
        (SELECT string_agg('new_' || d, ', ') FROM unnest(decides) d),
        CASE WHEN jsonb_typeof(definition->'changed') = 'object' THEN format('NOT %s_changed(o, n)', name) ELSE 'false' END,
        array_to_string(decides, ', '));
END
$$;

CREATE OR REPLACE FUNCTION rowcast.events_function(definition jsonb) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source text := rowcast.qualified_name((definition->>'relation')::oid);
    head   text := format(E'CREATE FUNCTION rowcast_capture.%s_events(change text, o %s, n %s)\n'
                          'RETURNS TABLE (event_type text, audience text, organization_id text, user_id text, chatbot_id text, session_id text,\n'
                          '               source text, source_key text, operation text, priority text, data jsonb)', definition->>'name', source, source);
    query  text := rowcast.events_query(definition);
BEGIN
    IF definition->>'on_error' = 'fail' THEN
        RETURN E'-- What the change of a row from o to n means to those who watch. An UPDATE can be a DELETE for some of them.\n'
            || head || E'\nLANGUAGE sql STABLE\nBEGIN ATOMIC\n' || query || E';\nEND;';
    END IF;
    RETURN E'-- What the change of a row from o to n means to those who watch. An UPDATE can be a DELETE for some of them.\n'
           '-- Each row by itself: one whose expressions fail makes no event, and a row in rowcast.capture_errors.\n'
        || head || E'\nLANGUAGE plpgsql VOLATILE\nAS $rowcast$\n#variable_conflict use_column\nBEGIN\nRETURN QUERY\n' || query || format($tail$;
EXCEPTION WHEN OTHERS THEN
    INSERT INTO rowcast.capture_errors (source, event_type, operation, sqlstate, message)
    VALUES (%L, %L, change, SQLSTATE, SQLERRM);
END
$rowcast$;$tail$, definition->>'source', definition->>'event_type');
END
$$;
