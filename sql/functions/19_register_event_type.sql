-- Adds an event type of an app's own to rowcast.event_types, unless it is there. Returns whether it was not. One that is there with another permission is refused: who may see
-- it would be other people than the caller has in mind.
--
-- SECURITY INVOKER: who may see what is for those to say who may write to rowcast.event_types.
CREATE OR REPLACE FUNCTION rowcast.register_event_type(event_type text, required_permission text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    known record;
BEGIN
    IF event_type IS NULL OR event_type !~ '^[a-z][a-z0-9_]{0,62}$' THEN
        RAISE EXCEPTION '% cannot be the name of an event type', coalesce(quote_literal(event_type), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use small letters, digits and underscores, a letter first, at most 63 of them: training_metric.';
    END IF;
    SELECT t.required_permission INTO known FROM rowcast.event_types t WHERE t.name = event_type;
    IF FOUND AND known.required_permission IS DISTINCT FROM required_permission THEN
        RAISE EXCEPTION 'the event type % is there, and requires %', event_type,
                CASE WHEN known.required_permission IS NULL THEN 'no permission' ELSE format('the permission %s', known.required_permission) END
            USING ERRCODE = 'duplicate_object',
                  HINT = 'Register it with that, choose another name, or change the row in rowcast.event_types: that concerns all of its events.';
    ELSIF FOUND THEN
        RETURN false;
    ELSIF NOT has_table_privilege('rowcast.event_types', 'INSERT') THEN
        RAISE EXCEPTION '% may not register event types', current_user
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Let the owner of the schema rowcast run: SELECT rowcast.register_event_type(%L, %L);', event_type, required_permission);
    END IF;
    INSERT INTO rowcast.event_types (name, required_permission) VALUES (event_type, required_permission);
    RETURN true;
END
$$;
