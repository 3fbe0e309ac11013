-- Deletes what nobody reads any more: changes of access and commands after a day (a server that was away for long reads all access anew, and has
-- forgotten nothing that it could be told to forget), capture errors with the history of their time, tickets that are over, and what producers have written, each in its time.
CREATE OR REPLACE FUNCTION rowcast.prune(kept interval) RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pruned record;
    gone   bigint;
BEGIN
    FOR pruned IN
        SELECT * FROM (VALUES ('rowcast.access_changes', interval '1 day'), ('rowcast.commands', interval '1 day'), ('rowcast.capture_errors', kept),
                              ('rowcast.activity', interval '30 days'))
            AS t (name, age)
        WHERE age IS NOT NULL
    LOOP
        EXECUTE format('DELETE FROM %s WHERE created_at < $1', pruned.name) USING clock_timestamp() - pruned.age;
        GET DIAGNOSTICS gone = ROW_COUNT;
        IF gone > 0 THEN
            RETURN QUERY SELECT 'pruned', pruned.name::text, format('%s rows older than %s', gone, pruned.age);
        END IF;
    END LOOP;
    -- Where no server tells of activity any more, nobody tells of these.
    DELETE FROM rowcast.attendance a
    WHERE a.connected_at < clock_timestamp() - interval '30 days' AND NOT EXISTS (SELECT FROM rowcast.servers s WHERE s.id = a.server);
    gone := rowcast.prune_tickets();
    IF gone > 0 THEN
        RETURN QUERY SELECT 'pruned', 'rowcast.tickets', format('%s tickets that are over', gone);
    END IF;
    RETURN QUERY SELECT * FROM rowcast.prune_metrics();
    gone := rowcast.prune_alerts();
    IF gone > 0 THEN
        RETURN QUERY SELECT 'pruned', 'rowcast.alerts', format('%s alerts that were over 90 days ago', gone);
    END IF;
    RETURN QUERY SELECT * FROM rowcast.prune_errors(kept);
    gone := rowcast.prune_health();
    IF gone > 0 THEN
        RETURN QUERY SELECT 'pruned', 'rowcast.health_checks', format('%s states that were over long ago', gone);
    END IF;
END
$$;
