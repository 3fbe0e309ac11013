-- Generates the statements of the trigger function (47_statements.sql) where attach() was given group_by: from the rows of a statement to the events of their groups.
--
-- All of a statement's rows go through here, so nothing is sorted, and of a row no more is carried along than its number. The row that speaks for a group is looked up
-- afterwards: the last in the order in which the statement wrote them, of those that are in the group now, or, if it has lost them all, of those that were.

-- groups: the query that yields for each row its number, its group, and whether it is there now. rows_from, which starts a FROM clause, yields the rows as s, by the same numbers.
CREATE OR REPLACE FUNCTION rowcast.grouped_statement(definition jsonb, groups text, rows_from text, speaker text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts text[] := rowcast.identity_parts(definition);
BEGIN
    RETURN format($statement$groups AS MATERIALIZED (
    SELECT %1$s, count(*) AS rows,
           coalesce(max(t.number) FILTER (WHERE t.is_there), max(t.number)) AS number, bool_or(t.is_there) AS is_there
    FROM (
%2$s
    ) AS t
    WHERE t.group_by IS NOT NULL
    GROUP BY %1$s
)
SELECT rowcast.draw_id(e.window_end), e.event_type, e.audience, e.organization_id, e.user_id, e.chatbot_id,
       e.session_id, e.source, e.source_key, e.operation, e.priority, e.data
FROM (
    SELECT (SELECT rowcast.open_window()) AS window_end, e.*
    FROM %3$s AS s
    -- So that few rows are left to be joined, whatever the planner thinks of it.
    JOIN groups AS t ON t.number = s.number AND (s.number IN (SELECT number FROM groups)) IS TRUE
    CROSS JOIN LATERAL %4$s_events(TG_OP, t.group_by, %5$s, %6$s, %7$s, t.rows) AS e
    ORDER BY t.number
) AS e$statement$,
        (SELECT string_agg('t.' || p, ', ' ORDER BY i) FROM unnest(parts) WITH ORDINALITY u (p, i)),
        rowcast.indented(groups, 8), rows_from, definition->>'name',
        CASE WHEN 'organization_id' = ANY (parts) THEN 't.organization_id' ELSE 'NULL' END,
        CASE WHEN 'user_id' = ANY (parts) THEN 't.user_id' ELSE 'NULL' END,
        speaker);
END
$$;

-- Rows that all came, or all went, are asked for their group without a detour. What the filter leaves out has none.
CREATE OR REPLACE FUNCTION rowcast.plain_groups(definition jsonb, operation text, rows_from text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.outbox_insert('WITH ' || rowcast.grouped_statement(definition,
        format(E'SELECT row_number() OVER () AS number,\n%s,\n       %s AS is_there\nFROM (%s) AS t',
               (SELECT string_agg(format(CASE WHEN definition->>'filter' IS NULL THEN '       %1$s AS %3$s' ELSE '       CASE WHEN %2$s THEN %1$s END AS %3$s' END,
                                         rowcast.part(definition, p, 't.r'), rowcast.part(definition, 'filter', 't.r'), p), E',\n' ORDER BY i)
                FROM unnest(rowcast.identity_parts(definition)) WITH ORDINALITY u (p, i)),
               CASE operation WHEN 'INSERT' THEN 'true' ELSE 'false' END,
               rows_from),
        format('(SELECT row_number() OVER () AS number, t.r FROM (%s) AS t)', rows_from),
        's.r'));
END;

-- pairs: as in 47_statements.sql.
CREATE OR REPLACE FUNCTION rowcast.paired_groups(definition jsonb, pairs text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.outbox_insert(format(E'WITH pairs AS MATERIALIZED (\n    SELECT row_number() OVER () AS number, p.change, p.o, p.n\n    FROM (\n%s\n    ) AS p\n), %s',
        rowcast.indented(pairs, 8),
        rowcast.grouped_statement(definition,
            format(E'SELECT p.number, t.*\nFROM pairs AS p CROSS JOIN LATERAL %s_groups(p.change, p.o, p.n) AS t', definition->>'name'),
            'pairs', 'CASE WHEN t.is_there THEN s.n ELSE s.o END')));
END;

-- What an attachment makes of pairs, and of rows that all came or all went: an event each, or one for each of their groups.
CREATE OR REPLACE FUNCTION rowcast.changes_statement(definition jsonb, pairs text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN definition->>'group_by' IS NULL THEN rowcast.paired_statement(definition, pairs) ELSE rowcast.paired_groups(definition, pairs) END;
END;

CREATE OR REPLACE FUNCTION rowcast.rows_statement(definition jsonb, operation text, transition_row text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN definition->>'group_by' IS NULL THEN rowcast.plain_statement(definition, operation, transition_row)
                ELSE rowcast.plain_groups(definition, operation, format('SELECT %s AS r FROM %s', transition_row,
                                          CASE operation WHEN 'INSERT' THEN 'rowcast_new AS n' ELSE 'rowcast_old AS o' END)) END;
END;
