-- Generates the trigger function of an attachment: from a statement's transition tables into the outbox, with one INSERT
-- and at most one notification a statement, however many rows it wrote.
--
-- It runs with the rights of the table's owner, whoever writes, and with settings of its own: neither the app's
-- search_path nor its time zone and formats have a say in what is sent.
--
-- Nested writes. A trigger of the app that writes the same table fires before ours: its statement is captured first, and
-- what the outer statement's transition table holds is out of date by then. So a nested statement leaves a note of how
-- deep it was, for the length of the transaction, and an outer one that finds a note deeper than itself reads
-- the rows again by key: the last event of a key agrees with the table. A row that was deleted and is there again is an UPDATE,
-- one that was written and is gone by now is no event, because the nested DELETE has been told.
--
-- Most statements are the first of their transaction that writes outbox rows, and no trigger's: nobody can have left a note, and one expression tells. Each
-- more that plpgsql has to evaluate costs a small transaction about as much as what it says. So whoever leaves a note makes the transaction one that has written.
CREATE OR REPLACE FUNCTION rowcast.trigger_function(definition jsonb, function_name text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name    text    := definition->>'name';
    o       text    := format('%s_read(o.*, o.*::text)', function_name);
    n       text    := format('%s_read(n.*, n.*::text)', function_name);
    guarded boolean := definition->>'on_error' = 'skip';
    grouped boolean := definition->>'group_by' IS NOT NULL;
BEGIN
    RETURN format($function$CREATE FUNCTION %1$s() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
%10$sAS $rowcast$
#variable_conflict use_column
DECLARE
    rung   text;
%2$sBEGIN
%6$s    IF TG_OP = 'INSERT' THEN
%7$s
    ELSIF TG_OP = 'UPDATE' THEN
%9$s
    ELSIF TG_OP = 'DELETE' THEN
%8$s
    ELSE
        IF rowcast.capture_truncate(%3$L, %4$L, %5$L) THEN
            rung := rowcast.ring_doorbell();
        END IF;
        RETURN NULL;
    END IF;
    rung := CASE WHEN FOUND THEN rowcast.ring_doorbell() END;
    RETURN NULL;
END
$rowcast$;$function$,
        function_name,
        CASE WHEN (definition->>'reread')::boolean THEN format(
            E'    depth  integer;\n'
            '    -- How deep inside other triggers this transaction has written the table.\n'
            '    nested integer;\n') ELSE '' END,
        name, definition->>'event_type', definition->>'source',
        CASE WHEN (definition->>'reread')::boolean THEN rowcast.indented(rowcast.nested_branch(definition, o, n), 4) || E'\n' ELSE '' END,
        rowcast.indented(CASE WHEN guarded THEN rowcast.changes_statement(definition,
                format('SELECT ''INSERT'' AS change, %s_row(NULL) AS o, %s AS n, 1 AS number FROM rowcast_new AS n', name, n))
            ELSE rowcast.rows_statement(definition, 'INSERT', n) END, 8),
        rowcast.indented(CASE WHEN guarded THEN rowcast.changes_statement(definition,
                format('SELECT ''DELETE'' AS change, %s AS o, %s_row(NULL) AS n, 1 AS number FROM rowcast_old AS o', o, name))
            ELSE rowcast.rows_statement(definition, 'DELETE', o) END, 8),
        rowcast.indented(CASE WHEN guarded OR grouped THEN '' ELSE E'-- One row that stays in view, the usual case.\n'
                || rowcast.plain_update(definition, o, n) || E'\nIF NOT FOUND THEN\n' END
            || rowcast.indented(rowcast.changes_statement(definition, rowcast.update_pairs(o, n)), CASE WHEN guarded OR grouped THEN 0 ELSE 4 END)
            || CASE WHEN guarded OR grouped THEN '' ELSE E'\nEND IF;' END, 8),
        (SELECT string_agg(format(E'SET %I = %L\n', s.name, s.value), '') FROM rowcast.settings_of_capture(definition) s));
END
$$;

CREATE OR REPLACE FUNCTION rowcast.nested_branch(definition jsonb, o text, n text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := definition->>'name';
BEGIN
    -- The note of what was written, where there is none, is 0: a window that ends before every id (12_windows.sql).
    RETURN format($branch$IF TG_OP <> 'TRUNCATE' AND (pg_trigger_depth() > 1 OR current_setting('rowcast.window', true) <> '') THEN
    depth := pg_trigger_depth();
    nested := coalesce(nullif(current_setting('rowcast.depth_%1$s', true), ''), '1')::integer;
    IF depth > nested THEN
        nested := set_config('rowcast.depth_%1$s', depth::text, true);
        rung := set_config('rowcast.window', coalesce(nullif(current_setting('rowcast.window', true), ''), '0'), true);
    ELSIF nested > depth THEN
        -- Triggers of the app have written the table meanwhile: what counts is how its rows are now.
        IF TG_OP = 'INSERT' THEN
%2$s
        ELSIF TG_OP = 'DELETE' THEN
%3$s
        ELSE
%4$s
        END IF;
        rung := CASE WHEN FOUND THEN rowcast.ring_doorbell() END;
        RETURN NULL;
    END IF;
END IF;
$branch$,
        split_part(name, '.', 2),
        rowcast.indented(rowcast.changes_statement(definition, rowcast.written_now(definition, n)), 12),
        rowcast.indented(rowcast.changes_statement(definition, rowcast.deleted_now(definition, o)), 12),
        rowcast.indented(rowcast.changes_statement(definition, rowcast.deleted_now(definition, o) || format(
            E'\nUNION ALL\n%s\nWHERE %s_key(%s) <> ALL (SELECT %s_key(%s) FROM rowcast_old AS o)',
            rowcast.written_now(definition, n), name, n, name, o)), 12));
END
$$;

-- Rows of the new table as they are now, without those that are gone.
CREATE OR REPLACE FUNCTION rowcast.written_now(definition jsonb, n text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format(E'SELECT ''INSERT'' AS change, %1$s_row(NULL) AS o, %1$s_row(c.*) AS n, 1 AS number\n'
                  'FROM rowcast_new AS n CROSS JOIN LATERAL %1$s_current(%2$s) AS c', definition->>'name', n);
END;

-- Rows of the old table, each with the row that has its key now, if there is one.
CREATE OR REPLACE FUNCTION rowcast.deleted_now(definition jsonb, o text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format(E'SELECT CASE WHEN %1$s_key(c.*) IS NULL THEN ''DELETE'' ELSE ''UPDATE'' END AS change,\n'
                  '       %2$s AS o, %1$s_row(c.*) AS n, 1 AS number\n'
                  'FROM rowcast_old AS o LEFT JOIN LATERAL %1$s_current(%2$s) AS c ON true', definition->>'name', o);
END;
