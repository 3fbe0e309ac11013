-- Generates what takes the place of 46_events_function.sql where attach() was given group_by: one event for each group that a statement has changed,
-- however many rows of it that were.
--
-- A group is a value of the expression together with whoever may see it: rows of one value in two organizations are two groups, of which neither
-- is told of the other. So that is asked of every row, all else of one row for each group.

-- The select list that follows from the value, the audience and one row of a group. It is evaluated when the statement is over: lookups see all of it.
CREATE OR REPLACE FUNCTION rowcast.described_group(definition jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT concat_ws(E',\n',
        -- About what the longest primary key can be: the key goes wherever the event goes.
        'CASE WHEN octet_length(in_group) > 2000 THEN md5(in_group) ELSE in_group END AS key',
        'in_organization AS organization_id',
        CASE WHEN (definition->>'private')::boolean THEN 'of_user AS user_id' END,
        rowcast.described_row(definition, 'r', ARRAY['key', 'organization_id', 'data'] || rowcast.identity_parts(definition)),
        rowcast.part(definition, 'data', 'r, rows') || ' AS data');
END;

CREATE OR REPLACE FUNCTION rowcast.group_functions(definition jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name   text   := definition->>'name';
    source text   := rowcast.qualified_name((definition->>'relation')::oid);
    parts  text[] := rowcast.identity_parts(definition);
BEGIN
    RETURN NEXT format(E'-- Which groups the change of a row from o to n concerns. One that moves from group to group concerns both.\n'
                       'CREATE FUNCTION %1$s_groups(change text, o %2$s, n %2$s)\n'
                       'RETURNS TABLE (group_by text, organization_id text, user_id text, is_there boolean)\n%3$s',
        name, source,
        rowcast.captured(definition, format(E'SELECT e.group_by, %s, %s, e.operation <> ''DELETE''\n%s AND e.group_by IS NOT NULL',
            CASE WHEN 'organization_id' = ANY (parts) THEN 'e.organization_id' ELSE 'NULL::text' END,
            CASE WHEN 'user_id' = ANY (parts) THEN 'e.user_id' ELSE 'NULL::text' END,
            rowcast.concerned_by(definition))));
    RETURN NEXT format(E'-- The event of a group. r: the row that speaks for it, rows: how many of the statement''s rows it had.\n'
                       'CREATE FUNCTION %s_events(change text, in_group text, in_organization text, of_user text, r %s, rows bigint)\n%s\n%s',
        name, source, rowcast.event_columns(),
        rowcast.captured(definition, format(E'SELECT %s\nFROM (\n    SELECT %s\n    OFFSET 0\n) AS e',
            rowcast.indented_but_first(rowcast.outbox_row(definition, 'change'), 7),
            rowcast.indented_but_first(rowcast.described_group(definition), 11))));
END
$$;
