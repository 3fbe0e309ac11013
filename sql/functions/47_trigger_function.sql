-- Generates the trigger function of an attachment: the rows of a statement, paired, through its events function into
-- the outbox. One INSERT and at most one notification a statement, however many rows it wrote.
--
-- It runs with the rights of the table's owner, whoever writes, and with settings of its own: neither the app's
-- search_path nor its time zone or formats have a say in what is sent.

-- rows: the FROM clause that yields change, o and n.
CREATE OR REPLACE FUNCTION rowcast.outbox_insert(attachment text, change text, o text, n text, rows_from text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format($insert$INSERT INTO rowcast.outbox (id, event_type, audience, organization_id, user_id, chatbot_id, session_id,
                            source, source_key, operation, priority, data)
SELECT CASE WHEN (SELECT rowcast.mark_writer()) THEN nextval('rowcast.outbox_id_seq') END, e.*
FROM %s
CROSS JOIN LATERAL rowcast_capture.%s_events(%s, %s, %s) AS e;$insert$, rows_from, attachment, change, o, n);
END;

CREATE OR REPLACE FUNCTION rowcast.indented(lines text, spaces integer) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT regexp_replace(lines, '^(?=.)', repeat(' ', spaces), 'gn');
END;

-- relation: the attached table, or a child of it whose columns stand differently and which has a function of its own.
CREATE OR REPLACE FUNCTION rowcast.trigger_function(definition jsonb, function_name text, row_function text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name    text := definition->>'name';
    o       text := format('rowcast_capture.%s(o.*)', row_function);
    n       text := format('rowcast_capture.%s(n.*)', row_function);
BEGIN
    RETURN format($function$CREATE FUNCTION rowcast_capture.%1$s() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET "TimeZone" = 'UTC'
SET "DateStyle" = 'ISO, YMD'
SET "IntervalStyle" = 'iso_8601'
SET extra_float_digits = 1
SET bytea_output = 'hex'
SET lc_monetary = 'C'
AS $rowcast$
#variable_conflict use_column
BEGIN
    IF TG_OP = 'INSERT' THEN
%2$s
    ELSIF TG_OP = 'DELETE' THEN
%3$s
    ELSIF TG_OP = 'UPDATE' THEN
%4$s
    END IF;
    IF FOUND THEN
        PERFORM rowcast.ring_doorbell();
    END IF;
    RETURN NULL;
END
$rowcast$;$function$,
        function_name,
        rowcast.indented(rowcast.outbox_insert(name, '''INSERT''', 'NULL', n, 'rowcast_new AS n'), 8),
        rowcast.indented(rowcast.outbox_insert(name, '''DELETE''', o, 'NULL', 'rowcast_old AS o'), 8),
        rowcast.indented(rowcast.outbox_insert(name, 'p.change', 'p.o', 'p.n', rowcast.pairs_query(o, n)), 8));
END
$$;

-- The old and the new row of each updated one.
--
-- Both transition tables are filled in step, so the rows of an UPDATE pair by position. A join by key instead would be planned once for
-- ever: after twenty updates of one row an update of 100,000 ran for minutes as a nested loop. It would also lose the
-- pair when the key itself changes, and tables without one. Should the two ever differ in length (a trigger that
-- suppressed the second half of a move between partitions), nothing is known about pairs, and everything old is a
-- DELETE, everything new an INSERT, in this order.
CREATE OR REPLACE FUNCTION rowcast.pairs_query(o text, n text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format($pairs$(
    SELECT 'UPDATE' AS change, %1$s AS o, %2$s AS n
    FROM rowcast_old AS o CROSS JOIN rowcast_new AS n
    WHERE (SELECT count(*) FROM rowcast_old) = 1 AND (SELECT count(*) FROM rowcast_new) = 1
    UNION ALL
    SELECT CASE WHEN t.in_step THEN 'UPDATE' WHEN t.is_new THEN 'INSERT' ELSE 'DELETE' END,
           CASE WHEN t.is_new THEN t.previous ELSE t.r END, t.r
    FROM (
        SELECT u.in_step, u.is_new, u.r, lag(u.r) OVER (ORDER BY u.number, u.is_new) AS previous
        FROM (
            SELECT (SELECT count(*) FROM rowcast_old) = (SELECT count(*) FROM rowcast_new) AS in_step, false AS is_new,
                   row_number() OVER () AS number, %1$s AS r
            FROM rowcast_old AS o
            UNION ALL
            SELECT (SELECT count(*) FROM rowcast_old) = (SELECT count(*) FROM rowcast_new), true,
                   row_number() OVER (), %2$s
            FROM rowcast_new AS n
        ) AS u
        WHERE (SELECT count(*) FROM rowcast_old) <> 1 OR (SELECT count(*) FROM rowcast_new) <> 1
    ) AS t
    WHERE t.is_new OR NOT t.in_step
) AS p$pairs$, o, n);
END;
