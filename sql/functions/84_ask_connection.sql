-- What is asked of a stream (subscribe, unsubscribe, renew) may reach a server that does not have it. That server tells all, the one that has it does what is
-- asked, and tells all what came of it: both as commands (23_tell_servers.sql), so that neither is lost to a server that is reconnecting.
--
-- SECURITY DEFINER: the server's role may say these two things to its like, and nothing else by itself.
CREATE OR REPLACE FUNCTION rowcast.ask_connection(request text, connection text, ask jsonb) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.tell_servers('ask', jsonb_build_object('request', request, 'connection', connection, 'ask', ask));
END;

CREATE OR REPLACE FUNCTION rowcast.answer_request(request text, answer jsonb) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.tell_servers('answer', jsonb_build_object('request', request, 'answer', answer));
END;
