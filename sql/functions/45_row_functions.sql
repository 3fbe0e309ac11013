-- What every attachment needs to know about one row, besides what the caller wrote.
CREATE OR REPLACE FUNCTION rowcast.row_functions(definition jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation oid  := (definition->>'relation')::oid;
    source   text := rowcast.qualified_name(relation);
    name     text := definition->>'name';
    head     text := E'CREATE FUNCTION %s(r %s) RETURNS %s\nLANGUAGE sql STABLE\n';
BEGIN
    RETURN NEXT E'-- A row of the attached table: gives NULL, and rows of queries, their type.\n'
        || format(head || 'RETURN r;', name || '_row', source, source);
    RETURN NEXT rowcast.read_function(name, relation, relation);

    RETURN NEXT E'-- The primary key as text: an event''s source_key.\n'
        || format(head || 'RETURN %s;', name || '_key', source, 'text', rowcast.key_expression(relation));

    IF definition->>'data' IS NULL THEN
        RETURN NEXT E'-- The whole row without its hidden columns. NULL, which is sent as {"truncated": true}, when it is too large to\n'
                    '-- be converted or JSON cannot hold it.\n'
            || format(head || E'RETURN CASE\n'
                              '    WHEN pg_column_size(r) > rowcast.max_payload_bytes() THEN NULL\n'
                              '    WHEN rowcast.may_not_be_json(%4$L) THEN rowcast.guarded_jsonb(r)\n'
                              '    ELSE to_jsonb(r)\n'
                              'END - rowcast.hidden_columns(%4$L);', name || '_data', source, 'jsonb', name);
    END IF;

    IF jsonb_typeof(definition->'changed') = 'object' THEN
        RETURN NEXT E'-- Whether an UPDATE touched one of the columns that count. Compares bytes: every type has those.\n'
            || format(E'CREATE FUNCTION %s(o %s, n %s) RETURNS boolean\nLANGUAGE sql STABLE\nRETURN ROW(%s)::record *<> ROW(%s)::record;',
                      name || '_changed', source, source,
                      (SELECT string_agg(format('o.%I', c), ', ' ORDER BY number::integer) FROM jsonb_each_text(definition->'changed') e (number, c)),
                      (SELECT string_agg(format('n.%I', c), ', ' ORDER BY number::integer) FROM jsonb_each_text(definition->'changed') e (number, c)));
    END IF;

    IF (definition->>'reread')::boolean THEN
        -- VOLATILE keeps the planner from merging it into a join, which it would plan once for ever, for tables of the
        -- size they had then.
        RETURN NEXT E'-- The row of the same key as it is in the table now.\n'
            || format(E'CREATE FUNCTION %s(r %s) RETURNS SETOF %s\nLANGUAGE sql VOLATILE ROWS 1\nBEGIN ATOMIC\n'
                      '    SELECT %s(t.*) FROM %s AS t WHERE %s;\nEND;',
                      name || '_current', source, source, name || '_row', source,
                      (SELECT string_agg(format('t.%1$I = r.%1$I', a.attname), ' AND ' ORDER BY n.position)
                       FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY n (number, position)
                       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = n.number
                       WHERE i.indrelid = relation AND i.indisprimary));
    END IF;
END
$$;

-- Turns a row of a transition table, which has no type, into one of the attached table, which is what everything else
-- takes. relation: the attached table (root), or a child of it whose columns stand differently.
CREATE OR REPLACE FUNCTION rowcast.read_function(prefix text, relation oid, root oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format(E'-- A row of a transition table of %1$s as a row of the attached table. as_text is for what cannot be read otherwise.\n'
                  'CREATE FUNCTION %2$s_read(r %3$s, as_text text) RETURNS %4$s\nLANGUAGE sql STABLE\n'
                  'RETURN CASE WHEN rowcast.has_virtual_columns(%5$L) THEN as_text::%3$s ELSE r END%6$s;',
                  rowcast.source_name(relation), prefix, rowcast.qualified_name(relation), rowcast.qualified_name(root), prefix || '_read',
                  CASE WHEN relation <> root THEN '::' || rowcast.qualified_name(root) ELSE '' END);
END;
