-- The settings of maintenance. Read at each run, unlike those of capture (05_settings.sql), so they are only checked when they change.
CREATE OR REPLACE FUNCTION rowcast.check_retention_setting() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.name <> 'partition_size' THEN
        BEGIN
            IF NEW.value = 'none' OR NEW.value::interval > interval '0' THEN
                RETURN NEW;
            END IF;
        EXCEPTION WHEN invalid_datetime_format OR datetime_field_overflow OR interval_field_overflow THEN
            NULL;
        END;
        RAISE EXCEPTION '% is "%", which is not a length of time', NEW.name, NEW.value
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use an interval, such as 7 days or 36 hours, or none for ever.';
    ELSIF NEW.value !~ '^[1-9][0-9]{0,8}$' THEN
        RAISE EXCEPTION 'setting partition_size is "%", which is not a number of ids', NEW.value
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use a whole number from 1 to 999999999, for example 1000000.';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER retention_setting BEFORE INSERT OR UPDATE ON rowcast.settings
    FOR EACH ROW WHEN (NEW.name IN ('retention', 'metrics_retention', 'costs_retention', 'partition_size')) EXECUTE FUNCTION rowcast.check_retention_setting();

-- How long something is kept by its setting; null: for ever.
CREATE OR REPLACE FUNCTION rowcast.kept_for(setting text, otherwise text) RETURNS interval
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT nullif(coalesce((SELECT value FROM rowcast.settings WHERE name = setting), otherwise), 'none')::interval;
END;

-- How long events are kept.
CREATE OR REPLACE FUNCTION rowcast.retention() RETURNS interval
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.kept_for('retention', '7 days');
END;

-- Sets it, where it is something else.
CREATE OR REPLACE FUNCTION rowcast.keep_retention_setting(retention text) RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    IF nullif(retention, 'none')::interval IS DISTINCT FROM rowcast.retention() AND retention IS NOT NULL THEN
        INSERT INTO rowcast.settings (name, value, description)
        VALUES ('retention', retention, 'how long events are kept: an interval, or none for ever')
        ON CONFLICT (name) DO UPDATE SET value = excluded.value;
        RETURN QUERY SELECT 'set', 'rowcast.settings', 'retention is ' || retention || ' from now on';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION rowcast.partition_size() RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce((SELECT value FROM rowcast.settings WHERE name = 'partition_size'), '1000000')::bigint;
END;

-- The last id that was given out.
CREATE OR REPLACE FUNCTION rowcast.drawn_through() RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT last_value - (NOT is_called)::integer FROM rowcast.outbox_id_seq;
END;

-- Every outbox id up to here has been seen by the servers, or rolled back for good. Maintenance touches nothing above it. (The sequence bounds it
-- because a failover or a restore may have set that back; ids are then drawn anew.)
CREATE OR REPLACE FUNCTION rowcast.decided_through() RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT least(s.id, rowcast.drawn_through()) FROM rowcast.settled s;
END;
