-- What Sentry tells of an issue, made one with what is known of it.

-- What is told later counts; what is told earlier, and comes late, only fills what nobody has said yet. An occurrence is one event of an organization, so it says what
-- happened there. What is said of the issue as a whole is true of all its rows, but its title may be from somebody else's event.
CREATE OR REPLACE FUNCTION rowcast.merged_error(known rowcast.errors, told rowcast.errors, is_occurrence boolean) RETURNS rowcast.errors
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_newer CONSTANT boolean := told.told_at >= known.told_at;
    newer    CONSTANT rowcast.errors := CASE WHEN is_newer THEN told ELSE known END;
    older    CONSTANT rowcast.errors := CASE WHEN is_newer THEN known ELSE told END;
    merged   rowcast.errors := known;
BEGIN
    merged.organization_id := coalesce(known.organization_id, told.organization_id);
    merged.chatbot_id := coalesce(newer.chatbot_id, older.chatbot_id);
    merged.component := coalesce(newer.component, older.component);
    merged.logger := coalesce(newer.logger, older.logger);
    merged.project := coalesce(newer.project, older.project);
    merged.severity := coalesce(newer.severity, older.severity);
    merged.sentry_short_id := coalesce(newer.sentry_short_id, older.sentry_short_id);
    merged.occurrences := CASE WHEN is_occurrence THEN known.occurrences + 1 ELSE greatest(known.occurrences, told.occurrences) END;
    merged.users := greatest(known.users, told.users);
    merged.first_seen := least(known.first_seen, told.first_seen);
    merged.last_seen := greatest(known.last_seen, told.last_seen);
    merged.told_at := greatest(known.told_at, told.told_at);
    IF known.organization_id IS NULL AND told.organization_id IS NOT NULL THEN
        -- From here on it is this organization's, with nothing in it of anybody else's.
        merged.message := coalesce(told.message, '(untitled)');
        merged.stack_trace := told.stack_trace;
        merged.chatbot_id := told.chatbot_id;
    ELSIF is_occurrence OR known.organization_id IS NULL THEN
        merged.message := coalesce(newer.message, older.message);
        merged.stack_trace := coalesce(newer.stack_trace, older.stack_trace);
    END IF;
    IF is_newer AND told.status IS NOT NULL THEN
        merged.status := told.status;
        merged.resolution := told.resolution;
    END IF;
    IF merged IS DISTINCT FROM known THEN
        merged.updated_at := clock_timestamp();
    END IF;
    RETURN merged;
END
$$;

-- Takes one delivery in: 'recorded', 'repeated' (its digest is known), or 'outdated' (it speaks of an issue that we do not have, or of one
-- before it came to us, and that is long past).
--
-- An issue has rows for 1000 organizations; what is told of others is of none then, and so for platform staff.
--
-- report: the columns of rowcast.errors by name, and is_occurrence. Both happen in one transaction: what could not be recorded is not remembered either, and may come again.
CREATE OR REPLACE FUNCTION rowcast.record_error(digest bytea, report jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- Sentry waits for a second.
SET lock_timeout = '800ms'
AS $$
DECLARE
    told          rowcast.errors := jsonb_populate_record(NULL::rowcast.errors, report);
    is_occurrence CONSTANT boolean := (report->>'is_occurrence')::boolean;
    is_dated      CONSTANT boolean := (report->>'is_dated')::boolean;
    most_rows     CONSTANT bigint := 1000;
BEGIN
    INSERT INTO rowcast.sentry_deliveries AS d (digest, sentry_issue_id, is_dated)
    VALUES (record_error.digest, told.sentry_issue_id, is_dated)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'repeated';
    END IF;
    -- Who makes errors happen may choose their tags, and what is said of the issue as a whole changes every row of it.
    IF told.organization_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM rowcast.errors e WHERE e.sentry_issue_id = told.sentry_issue_id AND e.organization_id = told.organization_id)
       AND (SELECT count(*) FROM rowcast.errors e WHERE e.sentry_issue_id = told.sentry_issue_id) >= most_rows THEN
        told.organization_id := NULL;
    END IF;
    -- Twice, if somebody else has just written the first row of the issue.
    FOR attempt IN 1..2 LOOP
        UPDATE rowcast.errors k
        SET (organization_id, chatbot_id, component, logger, project, severity, message, stack_trace, status, resolution, occurrences, users,
             first_seen, last_seen, sentry_short_id, told_at, updated_at)
          = (SELECT m.organization_id, m.chatbot_id, m.component, m.logger, m.project, m.severity, m.message, m.stack_trace, m.status, m.resolution,
                    m.occurrences, m.users, m.first_seen, m.last_seen, m.sentry_short_id, m.told_at, m.updated_at
             FROM rowcast.merged_error(k, told, is_occurrence) m)
        WHERE k.sentry_issue_id = told.sentry_issue_id
          -- A change of state that was of the row before this one, which has been deleted together with what was remembered of it.
          AND (is_dated OR told.last_seen >= k.created_at - rowcast.dated_for())
          AND (NOT is_occurrence
               OR k.organization_id IS NOT DISTINCT FROM told.organization_id
               -- Nobody had said yet whose it is.
               OR k.organization_id IS NULL AND NOT EXISTS (SELECT FROM rowcast.errors o WHERE o.sentry_issue_id = told.sentry_issue_id
                                                                                           AND o.organization_id = told.organization_id));
        IF FOUND THEN
            RETURN 'recorded';
        ELSIF NOT is_dated AND told.last_seen < clock_timestamp() - rowcast.dated_for() THEN
            RETURN 'outdated';
        END IF;
        INSERT INTO rowcast.errors (organization_id, chatbot_id, component, logger, project, severity, message, stack_trace, status, resolution,
                                    occurrences, users, first_seen, last_seen, sentry_issue_id, sentry_short_id, told_at)
        VALUES (told.organization_id, told.chatbot_id, told.component, told.logger, told.project, coalesce(told.severity, 'high'),
                coalesce(told.message, '(untitled)'), told.stack_trace, coalesce(told.status, 'unresolved'), told.resolution,
                greatest(told.occurrences, 1), greatest(told.users, 0), coalesce(told.first_seen, told.last_seen), told.last_seen,
                told.sentry_issue_id, told.sentry_short_id, told.told_at)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN 'recorded';
        END IF;
    END LOOP;
    RAISE EXCEPTION 'issue % was written by somebody else, and is gone again', told.sentry_issue_id USING ERRCODE = 'serialization_failure';
END
$$;

-- For how long a body that says when it was made is of use. src/integrations/sentry refuses older ones.
CREATE OR REPLACE FUNCTION rowcast.dated_for() RETURNS interval
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN interval '1 day';

-- Deletes issues of which nothing has been told for longer than history is kept, and which deliveries there were. These are remembered for longer than their bodies can be
-- used: those that are dated for three days, the others for as long as their issue is there, which is three days at least.
CREATE OR REPLACE FUNCTION rowcast.prune_errors(kept interval) RETURNS SETOF rowcast.maintenance_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shortest CONSTANT interval := 3 * rowcast.dated_for();
    gone     bigint;
BEGIN
    DELETE FROM rowcast.errors WHERE updated_at < clock_timestamp() - greatest(kept, shortest) AND kept IS NOT NULL;
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        RETURN QUERY SELECT 'pruned', 'rowcast.errors', format('%s errors of which nothing was told for %s', gone, greatest(kept, shortest));
    END IF;
    DELETE FROM rowcast.sentry_deliveries d
    WHERE d.received_at < clock_timestamp() - shortest
      AND (d.is_dated OR NOT EXISTS (SELECT FROM rowcast.errors e WHERE e.sentry_issue_id = d.sentry_issue_id));
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        RETURN QUERY SELECT 'pruned', 'rowcast.sentry_deliveries', format('%s deliveries that are of no use any more', gone);
    END IF;
END
$$;
