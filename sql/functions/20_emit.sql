-- Writes an event that no table row stands for. Without an organization it is for the whole platform.
--
-- SECURITY DEFINER: who may call it is decided by EXECUTE alone (rowcast_writer and rowcast_server), and needs no right
-- on the outbox. Returns the event's id.
CREATE OR REPLACE FUNCTION rowcast.emit(
    event_type      text,
    organization_id text,
    data            jsonb,
    priority        text DEFAULT 'medium',
    user_id         text DEFAULT NULL,
    chatbot_id      text DEFAULT NULL,
    session_id      text DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    window_end bigint;
    event_id   bigint;
BEGIN
    PERFORM rowcast.check_event_type(event_type);
    IF priority IS NULL OR priority NOT IN ('low', 'medium', 'high', 'critical') THEN
        RAISE EXCEPTION 'unknown priority: %', coalesce(quote_literal(priority), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use low, medium, high or critical.';
    ELSIF data IS NULL THEN
        RAISE EXCEPTION 'data must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'An event without data has ''{}''.';
    END IF;

    window_end := rowcast.open_window();
    INSERT INTO rowcast.outbox (id, event_type, audience, organization_id, user_id, chatbot_id, session_id, operation, priority, data)
    VALUES (rowcast.draw_id(window_end), event_type,
            CASE WHEN organization_id IS NULL THEN 'platform' ELSE 'organization' END,
            organization_id, user_id, chatbot_id, session_id, 'EMIT', priority,
            CASE WHEN pg_column_size(data) > rowcast.max_payload_bytes() THEN '{"truncated": true}' ELSE data END)
    RETURNING id INTO event_id;
    PERFORM rowcast.ring_doorbell();
    RETURN event_id;
END
$$;
