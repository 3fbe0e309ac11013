-- Keeps attachments in step with their tables: partitions and children that came or went since attach(), types of new
-- columns, the setting capture_replicated, and the numbers of excluded columns in a restored database. And with rowcast: trigger functions that
-- an older one generated are generated anew.
--
-- Where a superuser migrates, an event trigger (64_follow_tables.sql) calls this after every CREATE TABLE and ALTER TABLE that
-- concerns an attached table. Elsewhere, call it after creating a partition, from cron or by hand. It does what the
-- caller may do: for tables of roles that the caller is a member of; what it had to leave is told in `outcome`.
CREATE OR REPLACE FUNCTION rowcast.refresh_attachments() RETURNS TABLE (source text, event_type text, outcome text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    caller     text := current_user;
    attached   record;
    statement  text;
BEGIN
    FOR attached IN
        SELECT a.root, a.attachment, a.facts, pg_get_userbyid(c.relowner)::text AS owner
        FROM (SELECT DISTINCT t.root, t.attachment, t.facts FROM rowcast.attachment_triggers t) a JOIN pg_class c ON c.oid = a.root
        ORDER BY a.attachment
    LOOP
        FOR statement IN SELECT rowcast.refresh_statements(attached.root, attached.attachment, attached.facts) LOOP
            source := rowcast.source_name(attached.root);
            event_type := attached.facts->>'event_type';
            -- A remark and no statement.
            IF statement ~ '^--[^\n]*$' THEN
                outcome := statement;
            ELSIF NOT pg_has_role(attached.owner, 'MEMBER') THEN
                outcome := format('left to %s: %s', attached.owner, statement);
            ELSE
                -- As the owner, so that what is made belongs to the owner, and nothing is done that the owner could not do.
                PERFORM set_config('role', attached.owner, true);
                EXECUTE statement;
                PERFORM set_config('role', CASE WHEN caller = session_user THEN 'none' ELSE caller END, true);
                outcome := statement;
            END IF;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION rowcast.refresh_statements(root oid, attachment text, facts jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    excluded jsonb;
BEGIN
    -- Restored: by name, as long as every name is there.
    IF (facts->>'relation')::oid <> root THEN
        excluded := (SELECT coalesce(jsonb_object_agg(a.attnum, a.attname), '{}') FROM jsonb_each_text(facts->'excluded') e (number, name)
                     JOIN pg_attribute a ON a.attrelid = root AND a.attname = e.name AND NOT a.attisdropped);
        IF (SELECT count(*) FROM jsonb_object_keys(excluded)) < (SELECT count(*) FROM jsonb_object_keys(facts->'excluded')) THEN
            RETURN NEXT '-- restored, and an excluded column was renamed before: events are truncated until it is detached and attached again';
            RETURN;
        END IF;
        facts := facts || jsonb_build_object('relation', root::text, 'excluded', excluded);
        RETURN NEXT format('COMMENT ON FUNCTION %s() IS %L', attachment, facts);
    END IF;

    RETURN QUERY
        SELECT CASE WHEN own.attachment IS NULL THEN s.statement
                    ELSE format('-- %s is attached to %s by itself: detach it, and refresh again', rowcast.source_name(h.relation), facts->>'event_type') END
        FROM rowcast.hierarchy(root) AS h (relation)
        LEFT JOIN LATERAL (SELECT t.attachment FROM rowcast.attachment_triggers t
                           WHERE t.relation = h.relation AND t.facts->>'event_type' = refresh_statements.facts->>'event_type' LIMIT 1) own ON true
        CROSS JOIN LATERAL rowcast.relation_statements(facts, h.relation) AS s (statement)
        WHERE NOT EXISTS (SELECT FROM rowcast.attachment_triggers t WHERE t.attachment = refresh_statements.attachment AND t.relation = h.relation);

    RETURN QUERY
        SELECT regexp_replace(g.today, '^CREATE', 'CREATE OR REPLACE')
        FROM (SELECT DISTINCT t.function FROM rowcast.attachment_triggers t WHERE t.attachment = refresh_statements.attachment) f
        JOIN pg_proc p ON p.oid = f.function
        CROSS JOIN LATERAL rowcast.trigger_function(facts, format('%s.%s', p.pronamespace::regnamespace, p.proname)) AS g (today)
        WHERE strpos(g.today, '$rowcast$' || p.prosrc || '$rowcast$') = 0;

    -- New columns may have types whose text depends on more settings.
    RETURN QUERY
        SELECT format('ALTER FUNCTION %s SET %I = %L', p.oid::regprocedure, s.name, s.value)
        FROM (SELECT DISTINCT t.function FROM rowcast.attachment_triggers t WHERE t.attachment = refresh_statements.attachment) f
        JOIN pg_proc p ON p.oid = f.function
        CROSS JOIN rowcast.settings_of_capture(facts) s
        WHERE NOT EXISTS (SELECT FROM unnest(p.proconfig) c WHERE starts_with(c, s.name || '='));

    -- A partition that was detached is a table of its own again.
    RETURN QUERY
        SELECT format('DROP TRIGGER %I ON %s', t.trigger_name, rowcast.qualified_name(t.relation))
        FROM rowcast.attachment_triggers t
        WHERE t.attachment = refresh_statements.attachment AND t.relation NOT IN (SELECT rowcast.hierarchy(root));

    RETURN QUERY
        SELECT format('ALTER TABLE %s ENABLE %sTRIGGER %I', rowcast.qualified_name(t.relation),
                      CASE WHEN rowcast.captures_replicated() THEN 'ALWAYS ' ELSE '' END, t.trigger_name)
        FROM rowcast.attachment_triggers t
        WHERE t.attachment = refresh_statements.attachment AND t.enabled = CASE WHEN rowcast.captures_replicated() THEN 'O' ELSE 'A' END;
END
$$;
