-- What an expression reads besides its row, and what can go wrong with that. To see it, the expressions are bound just as
-- attach() will bind them, looked at in the catalogs, and rolled back.
CREATE OR REPLACE FUNCTION rowcast.check_lookups(definition jsonb, caller_path text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    argument text;
    bound    oid;
BEGIN
    FOR argument IN SELECT rowcast.expressions(definition) LOOP
        BEGIN
            bound := rowcast.bind_expression(definition, argument, caller_path);
            PERFORM rowcast.check_virtual_columns(argument, bound, (definition->>'relation')::oid),
                    rowcast.check_rights(argument, bound),
                    rowcast.check_row_security(argument, bound, (definition->>'relation')::oid);
            IF (argument = 'organization_id' OR argument = 'user_id' AND (definition->>'private')::boolean)
               -- A cascade is a statement of one of these.
               AND definition->'operations' ?| ARRAY['UPDATE', 'DELETE'] THEN
                PERFORM rowcast.warn_of_lost_parents(definition, argument, bound);
            END IF;
            RAISE EXCEPTION USING ERRCODE = 'RC000', MESSAGE = 'seen enough';
        EXCEPTION WHEN SQLSTATE 'RC000' THEN NULL;
        END;
    END LOOP;
END
$$;

-- Creates the expression's function. The types are right for what it is used for, or the error says what they must be.
CREATE OR REPLACE FUNCTION rowcast.bind_expression(definition jsonb, argument text, caller_path text) RETURNS oid
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM set_config('search_path', caller_path, true);
    EXECUTE rowcast.expression_function(definition, argument);
    RETURN (SELECT p.oid FROM pg_catalog.pg_proc p
            WHERE p.pronamespace = pg_catalog.split_part(definition->>'name', '.', 1)::pg_catalog.regnamespace
              AND p.proname = pg_catalog.split_part(definition->>'name', '.', 2) || '_' || argument);
EXCEPTION WHEN invalid_function_definition OR datatype_mismatch OR cannot_coerce OR invalid_text_representation THEN
    RAISE EXCEPTION '%: %', argument, SQLERRM
        USING ERRCODE = 'datatype_mismatch',
              DETAIL = pg_catalog.format('The expression: %s', definition->>argument),
              HINT = CASE argument
                         WHEN 'data' THEN 'It must be of type jsonb: use jsonb_build_object(...) or to_jsonb(...).'
                         WHEN 'filter' THEN 'It must be of type boolean.'
                         WHEN 'group_by' THEN 'It must be of a type whose values can be compared, and become JSON.'
                         ELSE 'It must be of a type that can be cast to text.' END;
END
$$;

-- Tables and views that a bound expression reads, those behind the views included.
CREATE OR REPLACE FUNCTION rowcast.lookups(bound oid) RETURNS SETOF oid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE lookups (relation) AS (
        SELECT d.refobjid
        FROM pg_depend d JOIN pg_class c ON c.oid = d.refobjid
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = bound AND d.refclassid = 'pg_class'::regclass AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        UNION
        SELECT d.refobjid
        FROM lookups l
        JOIN pg_rewrite w ON w.ev_class = l.relation
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> l.relation
    )
    SELECT relation FROM lookups;
END;

CREATE OR REPLACE FUNCTION rowcast.check_virtual_columns(argument text, bound oid, relation oid) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := rowcast.virtual_column(relation, ARRAY(
        SELECT d.refobjsubid FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = bound AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation));
BEGIN
    IF name IS NOT NULL THEN
        RAISE EXCEPTION '%: "%" is a virtual generated column', argument, name
            USING ERRCODE = 'feature_not_supported', HINT = 'Triggers see no value of it. Make it STORED, or repeat what it is computed from.';
    END IF;
END
$$;

-- Expressions run with the rights of the table's owner, who is the caller: whoever writes the row may read nothing here.
CREATE OR REPLACE FUNCTION rowcast.check_rights(argument text, bound oid) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hidden regclass := (
        SELECT d.refobjid
        FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = bound AND d.refclassid = 'pg_class'::regclass
          AND NOT has_table_privilege(d.refobjid, 'SELECT')
          AND NOT CASE WHEN d.refobjsubid > 0 THEN has_column_privilege(d.refobjid, d.refobjsubid::int2, 'SELECT')
                       ELSE has_any_column_privilege(d.refobjid, 'SELECT') END
        LIMIT 1);
BEGIN
    IF hidden IS NOT NULL THEN
        RAISE EXCEPTION '%: % may not read %', argument, current_user, hidden
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Expressions run with the rights of the table''s owner: GRANT SELECT ON %s TO %I;', hidden, current_user);
    END IF;
END
$$;

-- A policy that hides a row from the owner would make an organization NULL without a word. Asking with row_security off
-- makes Postgres say so; the catalogs alone do not tell what stands behind a view.
CREATE OR REPLACE FUNCTION rowcast.check_row_security(argument text, bound oid, relation oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    policed regclass := (SELECT l FROM rowcast.lookups(bound) l WHERE l <> relation AND row_security_active(l) LIMIT 1);
BEGIN
    IF policed IS NULL THEN
        BEGIN
            PERFORM set_config('row_security', 'off', true);
            EXECUTE format('SELECT %s(%s)', bound::regproc, (SELECT concat_ws(', ', 'NULL', CASE WHEN pronargs = 2 THEN 'NULL' END) FROM pg_proc WHERE oid = bound));
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION '%: %', argument, SQLERRM
                    USING ERRCODE = 'insufficient_privilege',
                          HINT = format('The expression runs as %I. Let that role read what it needs past row-level security, or keep the value in the table itself.', current_user);
            -- Whatever else a row of NULLs may do to an expression, no row of the table does.
            WHEN OTHERS THEN NULL;
        END;
    ELSE
        RAISE EXCEPTION '%: row-level security hides rows of % from %', argument, policed, current_user
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('A hidden row would be found as NULL. Grant BYPASSRLS to %I, use NO FORCE ROW LEVEL SECURITY on a table that it owns, or keep the value in the attached table itself.', current_user);
    END IF;
END
$$;

-- ON DELETE CASCADE (and SET NULL) of a parent: the child's trigger runs when the parent is gone already, and an expression
-- that looks for it there finds NULL. Nobody sees that event: kept and counted, but nobody is told that the row is gone.
CREATE OR REPLACE FUNCTION rowcast.warn_of_lost_parents(definition jsonb, argument text, bound oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parent regclass;
BEGIN
    FOR parent IN
        WITH RECURSIVE parents (relation) AS (
            SELECT confrelid FROM pg_constraint
            WHERE contype = 'f' AND conrelid = (definition->>'relation')::oid AND confdeltype IN ('c', 'n', 'd')
            UNION
            SELECT c.confrelid FROM parents p JOIN pg_constraint c ON c.conrelid = p.relation
            WHERE c.contype = 'f' AND c.confdeltype IN ('c', 'n', 'd')
        )
        SELECT l FROM rowcast.lookups(bound) l WHERE l IN (SELECT relation FROM parents) AND l <> (definition->>'relation')::oid
    LOOP
        RAISE WARNING '%: when a row of % is deleted, and rows of % with it, their events have no % and nobody sees them',
                      argument, parent, definition->>'source', argument
            USING HINT = format('Keep %s in %s itself, or attach %s too and let clients act on its DELETE.', argument, definition->>'source', parent);
    END LOOP;
END
$$;
