-- Generates the statements of the trigger function: from a transition table into the outbox.
--
-- Statements are static SQL, which plpgsql plans once a session, and short: what a capture costs is mostly what the
-- executor sets up for each statement. So the usual cases have a statement of their own, which does without pairing and
-- without the events function: INSERT, DELETE, and the UPDATE of one row that stays in view. It is an
-- optimisation and nothing else: the events function would yield the same rows.

-- The window for the ids is opened by an uncorrelated subquery: once a statement, before its first id, and not at all if it has no row.
--
-- Ids are drawn as far below as their order allows: Postgres sets up a node of its own for a select list that is volatile, on top of those that are needed anyway.
CREATE OR REPLACE FUNCTION rowcast.outbox_insert(query text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT E'INSERT INTO rowcast.outbox (id, event_type, audience, organization_id, user_id, chatbot_id, session_id,\n'
            '                            source, source_key, operation, priority, data)\n'
            || query || ';';
END;

-- rows_from: the FROM clause that yields the row to describe as t.<described>. Every row that is left makes an event.
CREATE OR REPLACE FUNCTION rowcast.described_statement(definition jsonb, operation text, described text, rows_from text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.outbox_insert(format(E'SELECT e.id,\n%s\nFROM (\n'
                                        '    SELECT rowcast.draw_id((SELECT rowcast.open_window())) AS id,\n%s\n    FROM %s\n    OFFSET 0\n) AS e',
        rowcast.indented(rowcast.outbox_row(definition, quote_literal(operation)), 7),
        rowcast.indented(rowcast.described_row(definition, 't.' || described), 11),
        rows_from));
END;

CREATE OR REPLACE FUNCTION rowcast.plain_statement(definition jsonb, operation text, transition_row text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.described_statement(definition, operation, 'r',
        format('(SELECT %s AS r FROM %s) AS t', transition_row, CASE operation WHEN 'INSERT' THEN 'rowcast_new AS n' ELSE 'rowcast_old AS o' END)
        || CASE WHEN definition->>'filter' IS NOT NULL THEN E'\n    WHERE ' || rowcast.part(definition, 'filter', 't.r') ELSE '' END);
END;

-- What decides who sees the row is compared here, and the organization looked up once more for the event.
CREATE OR REPLACE FUNCTION rowcast.plain_update(definition jsonb, o text, n text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.described_statement(definition, 'UPDATE', 'n', format(
        E'(SELECT %s AS o, %s AS n\n          FROM rowcast_old AS o CROSS JOIN rowcast_new AS n) AS t\n'
        '    WHERE NOT EXISTS (SELECT FROM rowcast_old OFFSET 1) AND NOT EXISTS (SELECT FROM rowcast_new OFFSET 1)\n'
        '      AND t.o *<> t.n%s%s%s',
        o, n,
        CASE WHEN definition->>'filter' IS NOT NULL
             THEN format(E'\n      AND %s AND %s', rowcast.part(definition, 'filter', 't.o'), rowcast.part(definition, 'filter', 't.n')) ELSE '' END,
        CASE WHEN jsonb_typeof(definition->'changed') = 'object'
             THEN format(E'\n      AND %s_changed(t.o, t.n)', definition->>'name') ELSE '' END,
        (SELECT string_agg(format(E'\n      AND %s IS NOT DISTINCT FROM %s', rowcast.part(definition, p, 't.o'), rowcast.part(definition, p, 't.n')), '' ORDER BY i)
         FROM unnest(rowcast.identity_parts(definition)) WITH ORDINALITY u (p, i))));
END;

-- Through the events function. pairs: a FROM item p with change, o and n, and number, the order among them.
-- A statement may hand one row's key to another (SET id = id + 1), so all that is deleted goes first.
CREATE OR REPLACE FUNCTION rowcast.paired_statement(definition jsonb, pairs text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.outbox_insert(format(E'SELECT rowcast.draw_id(e.window_end), e.event_type, e.audience, e.organization_id, e.user_id, e.chatbot_id,\n'
                                        '       e.session_id, e.source, e.source_key, e.operation, e.priority, e.data\n'
                                        'FROM (\n    SELECT (SELECT rowcast.open_window()) AS window_end, e.*\n    FROM (\n%s\n    ) AS p\n'
                                        '    CROSS JOIN LATERAL %s_events(p.change, p.o, p.n) AS e\n'
                                        '    ORDER BY e.operation <> ''DELETE'', p.number\n) AS e',
                                        rowcast.indented(pairs, 8), definition->>'name'));
END;

-- The old and the new row of each updated one.
--
-- Both transition tables are filled in step, so the rows of an UPDATE pair by position. A join by key instead would be
-- planned once for ever: after twenty updates of one row an update of 100,000 ran for minutes as a nested loop. It would
-- also lose the pair when the key itself changes, and tables without one. Should the two ever differ in length (a
-- trigger that suppressed the second half of a move between partitions), nothing is known about pairs, and everything old is
-- a DELETE, everything new an INSERT.
CREATE OR REPLACE FUNCTION rowcast.update_pairs(o text, n text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format($pairs$SELECT CASE WHEN in_step THEN 'UPDATE' WHEN is_new THEN 'INSERT' ELSE 'DELETE' END AS change,
       CASE WHEN is_new THEN previous ELSE r END AS o, r AS n, number
FROM (SELECT *, lag(r) OVER (ORDER BY number, is_new) AS previous,
             (SELECT count(*) FROM rowcast_old) = (SELECT count(*) FROM rowcast_new) AS in_step
      FROM (SELECT row_number() OVER () AS number, false AS is_new, %s AS r FROM rowcast_old AS o
            UNION ALL
            SELECT row_number() OVER (), true, %s FROM rowcast_new AS n) AS rows) AS pairs
WHERE is_new OR NOT in_step$pairs$, o, n);
END;
