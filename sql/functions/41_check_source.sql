-- May this table be attached, for this type, by this caller? Every refusal says what to do instead.
--
-- Ownership is required, not merely the TRIGGER privilege, and it must be the caller's own: the generated functions run
-- with the rights of the table's owner, and expressions are looked up and checked with the caller's. If the two could
-- differ, whoever prepares a table could borrow the rights of whoever attaches it.
CREATE OR REPLACE FUNCTION rowcast.check_source(source regclass, event_type text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation pg_class;
    name     text := rowcast.source_name(source);
    owner    text;
    parent   regclass;
    child    regclass;
BEGIN
    SELECT * INTO relation FROM pg_class WHERE oid = source;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no table with OID %', source::oid
            USING ERRCODE = 'undefined_table', HINT = 'Name the table, for example ''public.documents''.';
    END IF;
    owner := pg_get_userbyid(relation.relowner);

    IF relation.relpersistence = 't' THEN
        RAISE EXCEPTION '% is a temporary table', name
            USING ERRCODE = 'wrong_object_type', HINT = 'Only permanent tables can be attached: nobody else could read what such an event is about.';
    ELSIF relation.relkind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is not a table', name
            USING ERRCODE = 'wrong_object_type', HINT = 'Attach the tables behind a view; foreign tables change where no trigger sees it.';
    ELSIF relation.relnamespace::regnamespace::text IN ('pg_catalog', 'information_schema')
          OR relation.relnamespace = 'rowcast'::regnamespace AND relation.relname <> ALL (rowcast.producer_tables()) THEN
        RAISE EXCEPTION '% belongs to %', name, CASE WHEN name LIKE 'rowcast%' THEN 'rowcast itself' ELSE 'Postgres itself' END
            USING ERRCODE = 'wrong_object_type', HINT = 'Attach a table of the app.';
    ELSIF relation.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION '% belongs to %, not to %', name, owner, current_user
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Attach it as its owner: SET ROLE %I; then call again. The captured expressions run with the owner''s rights.', owner);
    ELSIF NOT pg_has_role(relation.relowner, 'rowcast_writer', 'USAGE') THEN
        RAISE EXCEPTION '% is not in rowcast_writer', owner
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Its functions write the outbox. Let a DBA run: GRANT rowcast_writer TO %I;', owner);
    END IF;

    PERFORM rowcast.check_event_type(event_type);
    IF EXISTS (SELECT FROM rowcast.attachment_triggers a WHERE a.root = source AND a.facts->>'event_type' = check_source.event_type) THEN
        RAISE EXCEPTION '% is attached to % already', name, event_type
            USING ERRCODE = 'duplicate_object', HINT = format('Detach it first: SELECT rowcast.detach(%L);', source::text);
    END IF;

    SELECT a INTO parent FROM rowcast.ancestors(source) a LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% is a partition or child of %', name, rowcast.source_name(parent)
            USING ERRCODE = 'wrong_object_type',
                  HINT = format('Statements on the parent would not be captured. Attach %s instead, if need be with a filter.', parent);
    END IF;
    SELECT a.root INTO child
    FROM rowcast.attachment_triggers a
    WHERE a.facts->>'event_type' = check_source.event_type AND a.root IN (SELECT rowcast.hierarchy(source))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'rows of % would be captured twice: it is attached to % by itself', rowcast.source_name(child), event_type
            USING ERRCODE = 'duplicate_object',
                  HINT = format('A parent covers its partitions and children: SELECT rowcast.detach(%L);', child::text);
    END IF;
END
$$;
