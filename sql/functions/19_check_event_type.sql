-- May events of this type be written? One rule for what is captured and what is emitted.
CREATE OR REPLACE FUNCTION rowcast.check_event_type(event_type text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF event_type = 'connection_status' THEN
        RAISE EXCEPTION 'connection_status events are made by the server for each stream and cannot be written'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose another type; see rowcast.event_types.';
    ELSIF event_type IS NULL OR NOT EXISTS (SELECT FROM rowcast.event_types t WHERE t.name = check_event_type.event_type) THEN
        RAISE EXCEPTION 'unknown event type: %', coalesce(quote_literal(event_type), 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('Known types: %s. A type of your own is a row in rowcast.event_types: rowcast attach --register, or SELECT rowcast.register_event_type(…), adds it.',
                                (SELECT string_agg(t.name, ', ' ORDER BY t.name) FROM rowcast.event_types t WHERE t.name <> 'connection_status'));
    END IF;
END
$$;
