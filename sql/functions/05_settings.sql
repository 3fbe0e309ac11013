-- Settings that are read for every captured row are not looked up in a table: they are compiled into one-line functions,
-- which the planner inlines. Postgres replans every statement that one was inlined into as soon as it is replaced, in every
-- session, so a change takes effect with the next statement and costs nothing in between. (STABLE matters: an IMMUTABLE
-- function is not inlined but evaluated, and the plan does not remember where its constant came from.)
CREATE OR REPLACE FUNCTION rowcast.apply_settings() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    max_payload_bytes text := coalesce((SELECT value FROM rowcast.settings WHERE name = 'max_payload_bytes'), '65536');
    doorbell          text := coalesce((SELECT value FROM rowcast.settings WHERE name = 'doorbell'), 'auto');
    replicated        text := coalesce((SELECT value FROM rowcast.settings WHERE name = 'capture_replicated'), 'off');
BEGIN
    IF max_payload_bytes !~ '^[0-9]{1,9}$' THEN
        RAISE EXCEPTION 'setting max_payload_bytes is "%", which is not a number of bytes', max_payload_bytes
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use a whole number up to 268435455, for example 65536.';
    ELSIF max_payload_bytes::integer NOT BETWEEN 128 AND 268435455 THEN
        RAISE EXCEPTION 'setting max_payload_bytes is %, out of range', max_payload_bytes
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use a number from 128 to 268435455: jsonb cannot hold longer texts.';
    END IF;
    IF doorbell NOT IN ('auto', 'off') THEN
        RAISE EXCEPTION 'setting doorbell is "%"', doorbell
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use auto or off.';
    END IF;
    IF replicated NOT IN ('on', 'off') THEN
        RAISE EXCEPTION 'setting capture_replicated is "%"', replicated
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use on or off.';
    END IF;

    EXECUTE format($f$CREATE OR REPLACE FUNCTION rowcast.max_payload_bytes() RETURNS integer LANGUAGE sql STABLE RETURN %s$f$,
                   max_payload_bytes::integer);
    EXECUTE format($f$CREATE OR REPLACE FUNCTION rowcast.doorbell_is_on() RETURNS boolean LANGUAGE sql STABLE RETURN %L::boolean$f$,
                   doorbell = 'auto');
    EXECUTE format($f$CREATE OR REPLACE FUNCTION rowcast.captures_replicated() RETURNS boolean LANGUAGE sql STABLE RETURN %L::boolean$f$,
                   replicated = 'on');
END
$$;

-- Whoever may change the settings need not own the functions: hence SECURITY DEFINER.
CREATE OR REPLACE FUNCTION rowcast.settings_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rowcast.apply_settings();
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER settings_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rowcast.settings
    FOR EACH STATEMENT EXECUTE FUNCTION rowcast.settings_changed();

DO $$ BEGIN PERFORM rowcast.apply_settings(); END $$;
