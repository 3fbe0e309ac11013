-- The health of the platform's parts: what the server that measures it writes, and what people look at.

-- The latest of each figure.
CREATE OR REPLACE VIEW rowcast.health AS
SELECT DISTINCT ON (component, metric)
       component, metric, status, value, unit, threshold, message, recommendation, since, checked_at
FROM rowcast.health_checks
ORDER BY component, metric, id DESC;
COMMENT ON VIEW rowcast.health IS 'How the parts of the platform are: the latest of each figure. Old where checked_at is: it is measured no more.';

-- Writes what was measured, in its order, if that is still for this server to do; whether it was. A state that lasts is kept up to date, and one that is other than
-- the latest is a new row. What is older than the latest is known already: a server writes again what it is not sure to have written.
--
-- Clocks of servers differ, and jump. Nothing was measured later than now by the clock of the database: what a clock that is ahead has written would be the latest for
-- as long as it is ahead.
CREATE OR REPLACE FUNCTION rowcast.record_health(duty text, server text, reports jsonb) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    report rowcast.health_checks;
    latest rowcast.health_checks;
BEGIN
    IF NOT rowcast.take_duty(duty, server) THEN
        RETURN false;
    END IF;
    FOR report IN SELECT * FROM jsonb_populate_recordset(NULL::rowcast.health_checks, reports) LOOP
        report.checked_at := least(report.checked_at, clock_timestamp());
        report.since := least(report.since, report.checked_at);
        SELECT * INTO latest FROM rowcast.health_checks h
        WHERE h.component = report.component AND h.metric = report.metric ORDER BY h.id DESC LIMIT 1;
        IF latest.status = report.status THEN
            UPDATE rowcast.health_checks h
            SET value = report.value, unit = report.unit, threshold = report.threshold, message = report.message,
                recommendation = report.recommendation, checked_at = report.checked_at, restated = true
            WHERE h.id = latest.id AND h.checked_at < report.checked_at;
        ELSIF latest.id IS NULL OR latest.since < report.checked_at THEN
            -- No state begins before the one that it ended.
            INSERT INTO rowcast.health_checks (component, metric, status, value, unit, threshold, message, recommendation, since, checked_at)
            VALUES (report.component, report.metric, report.status, report.value, report.unit, report.threshold, report.message,
                    report.recommendation, greatest(report.since, latest.since), report.checked_at);
        END IF;
    END LOOP;
    RETURN true;
END
$$;

-- Deletes what was over 30 days ago, and what is more than the 10,000 latest. How many that were.
CREATE OR REPLACE FUNCTION rowcast.prune_health() RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM rowcast.health_checks
    WHERE checked_at < clock_timestamp() - interval '30 days'
       OR id <= (SELECT h.id FROM rowcast.health_checks h ORDER BY h.id DESC OFFSET 10000 LIMIT 1);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
