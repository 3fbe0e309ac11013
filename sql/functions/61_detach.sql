-- Removes exactly what attach() made for a table, for every event type: the triggers on it and on its partitions and
-- children, and the functions generated for them. What the outbox holds stays.
CREATE OR REPLACE FUNCTION rowcast.detach(source regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = source);
    names text[] := ARRAY(SELECT DISTINCT a.attachment FROM rowcast.attachment_triggers a WHERE a.root = source);
    made  record;
BEGIN
    IF cardinality(names) = 0 THEN
        RAISE EXCEPTION '% is not attached', coalesce(rowcast.source_name(source), 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM rowcast.attachments; shows what is.';
    ELSIF owner <> current_user THEN
        RAISE EXCEPTION '% belongs to %, not to %', rowcast.source_name(source), owner, current_user
            USING ERRCODE = 'insufficient_privilege', HINT = format('Detach it as its owner: SET ROLE %I; then call again.', owner);
    END IF;
    FOR made IN SELECT a.trigger_name, a.relation FROM rowcast.attachment_triggers a WHERE a.attachment = ANY (names) LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', made.trigger_name, rowcast.qualified_name(made.relation));
    END LOOP;
    -- In one statement, because they depend on each other.
    EXECUTE (SELECT 'DROP FUNCTION ' || string_agg(p.oid::regprocedure::text, ', ')
             FROM pg_proc p
             CROSS JOIN LATERAL format('%s.%s', p.pronamespace::regnamespace, p.proname) AS f (name)
             WHERE EXISTS (SELECT FROM unnest(names) n (name) WHERE f.name = n.name OR starts_with(f.name, n.name || '_')));
END
$$;
