-- Whose days are counted by, checked when it is set. How long figures and costs are kept is checked with the other retentions.
CREATE OR REPLACE FUNCTION rowcast.check_cost_time_zone() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM now() AT TIME ZONE NEW.value;
    RETURN NEW;
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE EXCEPTION 'setting cost_time_zone is "%", which is no time zone', NEW.value
        USING ERRCODE = 'invalid_parameter_value', HINT = 'Use a name of pg_timezone_names, such as UTC or Europe/Berlin.';
END
$$;

CREATE OR REPLACE TRIGGER cost_time_zone BEFORE INSERT OR UPDATE ON rowcast.settings
    FOR EACH ROW WHEN (NEW.name = 'cost_time_zone') EXECUTE FUNCTION rowcast.check_cost_time_zone();

CREATE OR REPLACE FUNCTION rowcast.cost_time_zone() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce((SELECT value FROM rowcast.settings WHERE name = 'cost_time_zone'), 'UTC');
END;
