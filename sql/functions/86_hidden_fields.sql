-- The fields of an event's data that a user does not get as they are, in the order in which they are taken away, with the permission that would show each. What
-- stands in the place of one is its replacement; NULL where it is removed. An empty path is all of the data: it cannot be looked through.
CREATE OR REPLACE FUNCTION rowcast.hidden_fields(event rowcast.outbox, user_id text)
RETURNS TABLE (path text[], unless_permission text, replacement jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    held CONSTANT text[] := rowcast.permissions(user_id, event.organization_id);
    -- What is left after the redactions before.
    data jsonb := event.data;
    redacted jsonb;
BEGIN
    FOR path, unless_permission, replacement IN
        SELECT r.path, r.unless_permission, r.replacement
        FROM (SELECT n.*, bool_or(n.lacked) OVER (PARTITION BY n.place > 63) AS one_is_lacked
              FROM (SELECT d.*, d.unless_permission <> ALL (held) AS lacked, row_number() OVER (ORDER BY d.path) AS place
                    FROM rowcast.redactions AS d WHERE d.event_type = event.event_type) AS n) AS r
        -- Servers keep one bit for the 64th and all after it: whoever lacks the permission of one loses the fields of all.
        WHERE CASE WHEN r.place > 63 THEN r.one_is_lacked ELSE r.lacked END
        ORDER BY r.path
    LOOP
        redacted := rowcast.redact(data, path, replacement);
        IF redacted IS NOT NULL THEN
            data := redacted;
            RETURN NEXT;
        END IF;
    END LOOP;
EXCEPTION WHEN statement_too_complex THEN
    path := '{}';
    replacement := '{"unreadable": true}';
    RETURN NEXT;
END
$$;
