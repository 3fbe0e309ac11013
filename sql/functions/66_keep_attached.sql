-- Attaches a table of rowcast's own, as every migration finds or makes it: what producers write there goes through the outbox like any row. Where what is wanted is
-- other than what is attached, it is attached anew.
--
-- A migrating role that may not attach goes on without; nobody's events but the producers' are missing then.
CREATE OR REPLACE FUNCTION rowcast.keep_attached(
    source          regclass,
    event_type      text,
    organization_id text   DEFAULT NULL,
    data            text   DEFAULT NULL,
    operations      text[] DEFAULT '{INSERT}',
    priority        text   DEFAULT NULL,
    user_id         text   DEFAULT NULL,
    chatbot_id      text   DEFAULT NULL,
    session_id      text   DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $$
DECLARE
    wanted CONSTANT jsonb := jsonb_build_object(
        'event_type', event_type, 'organization_id', organization_id, 'data', data, 'operations', operations, 'priority', priority,
        'user_id', user_id, 'chatbot_id', chatbot_id, 'session_id', session_id);
    hint text;
BEGIN
    IF EXISTS (SELECT FROM rowcast.attachment_triggers a WHERE a.root = keep_attached.source AND a.facts || wanted = a.facts) THEN
        RETURN;
    ELSIF EXISTS (SELECT FROM rowcast.attachment_triggers a WHERE a.root = keep_attached.source) THEN
        PERFORM rowcast.detach(source);
    END IF;
    PERFORM rowcast.attach(source, event_type, organization_id => organization_id, data => data, operations => operations, priority => priority,
                           user_id => user_id, chatbot_id => chatbot_id, session_id => session_id);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RAISE WARNING '% is not attached: %', source, SQLERRM
        USING HINT = concat_ws(' ', nullif(hint, ''), 'Then run SELECT rowcast.attach_producers(); as the owner of the schema rowcast.');
END
$$;
