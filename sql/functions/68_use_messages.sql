-- Says where the messages are that rowcast.measure() counts: `query` becomes the view rowcast.messages. docs/integrations.md says what it gives.
-- A new call replaces the former one; use_messages(NULL) takes it back, and nothing is measured any more.
--
-- For the owner of rowcast, who reads in the view on behalf of the server: the tables that the query names need SELECT for the owner only.
CREATE OR REPLACE FUNCTION rowcast.use_messages(query text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner CONSTANT regrole := (SELECT nspowner FROM pg_namespace WHERE nspname = 'rowcast');
BEGIN
    IF query IS NULL THEN
        IF to_regclass('rowcast.messages') IS NOT NULL THEN
            DROP VIEW rowcast.messages;
        END IF;
        RETURN;
    END IF;
    EXECUTE rowcast.messages_definition(query, rowcast.check_messages_query(query));
    EXECUTE format('ALTER VIEW rowcast.messages OWNER TO %s', owner);
    COMMENT ON VIEW rowcast.messages IS 'The app''s messages, as rowcast.use_messages() was told where they are.';
    GRANT SELECT ON rowcast.messages TO rowcast_server;
    PERFORM rowcast.check_view_readable('rowcast.messages', 'messages');
END
$$;
