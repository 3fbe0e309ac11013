-- The three functions that a DBA calls. SECURITY INVOKER and without a search_path of their own: expressions mean what
-- they mean to the caller. So they name everything in full and leave the work to functions that do have one.

-- As they were before group_by: beside the new ones, a call that leaves arguments out could mean both. Where a function of the app's own is bound
-- to the old one, which is rare, that one keeps it under another name.
DO $without_groups$
DECLARE
    name text;
    arguments CONSTANT text := 'regclass, text, text, text, text[], text[], text[], text, text, text, text, text, boolean, text';
BEGIN
    FOREACH name IN ARRAY '{attach,preview}'::text[] LOOP
        EXECUTE pg_catalog.format('DROP FUNCTION IF EXISTS rowcast.%I(%s)', name, arguments);
    END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
    FOREACH name IN ARRAY '{attach,preview}'::text[] LOOP
        EXECUTE pg_catalog.format('ALTER FUNCTION rowcast.%1$I(%2$s) RENAME TO %1$s_without_groups', name, arguments);
    END LOOP;
END
$without_groups$;

CREATE OR REPLACE FUNCTION rowcast.attach(
    source          regclass,
    event_type      text,
    organization_id text    DEFAULT NULL,
    data            text    DEFAULT NULL,
    exclude         text[]  DEFAULT '{}',
    operations      text[]  DEFAULT '{INSERT,UPDATE,DELETE}',
    changed_columns text[]  DEFAULT NULL,
    filter          text    DEFAULT NULL,
    priority        text    DEFAULT NULL,
    user_id         text    DEFAULT NULL,
    chatbot_id      text    DEFAULT NULL,
    session_id      text    DEFAULT NULL,
    private         boolean DEFAULT false,
    on_error        text    DEFAULT 'fail',
    group_by        text    DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM rowcast.run_statements(rowcast.plan_attachment(
        rowcast.attachment_definition(source, event_type, organization_id, data, exclude, operations, changed_columns,
                                      filter, priority, user_id, chatbot_id, session_id, private, on_error, group_by),
        pg_catalog.current_setting('search_path')));
END
$$;

CREATE OR REPLACE FUNCTION rowcast.preview(
    source          regclass,
    event_type      text,
    organization_id text    DEFAULT NULL,
    data            text    DEFAULT NULL,
    exclude         text[]  DEFAULT '{}',
    operations      text[]  DEFAULT '{INSERT,UPDATE,DELETE}',
    changed_columns text[]  DEFAULT NULL,
    filter          text    DEFAULT NULL,
    priority        text    DEFAULT NULL,
    user_id         text    DEFAULT NULL,
    chatbot_id      text    DEFAULT NULL,
    session_id      text    DEFAULT NULL,
    private         boolean DEFAULT false,
    on_error        text    DEFAULT 'fail',
    group_by        text    DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    statements text[];
BEGIN
    -- The checks make things, to see whether they can be made; none of it stays.
    BEGIN
        statements := rowcast.plan_attachment(
            rowcast.attachment_definition(source, event_type, organization_id, data, exclude, operations, changed_columns,
                                          filter, priority, user_id, chatbot_id, session_id, private, on_error, group_by),
            pg_catalog.current_setting('search_path'));
        RAISE EXCEPTION USING ERRCODE = 'RC000', MESSAGE = 'planned';
    EXCEPTION WHEN SQLSTATE 'RC000' THEN NULL;
    END;
    RETURN pg_catalog.concat(E'BEGIN;\n\n', pg_catalog.array_to_string(statements, E'\n\n'), E'\n\nCOMMIT;\n');
END
$$;

CREATE OR REPLACE FUNCTION rowcast.run_statements(statements text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    statement text;
BEGIN
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
