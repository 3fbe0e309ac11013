-- Would this user get this event now, and if not, which rule says so? For people: one row for each rule, in the order in which servers go by them, and a last one with
-- the verdict. docs/access.md names them all.
--
-- `passes` is NULL where a rule only tells something. `subscriptions` and `organization` are what a client would ask for; without both, the streams count that the user has
-- open. It says no more than its caller may read: the outbox, the grants, and who is connected.

-- Is the event there? No row: it is not. Later rules have nothing to look at then.
CREATE OR REPLACE FUNCTION rowcast.explain_event(event_id bigint) RETURNS TABLE (rule text, passes boolean, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    drawn   CONSTANT bigint := (SELECT last_value - (NOT is_called)::integer FROM rowcast.outbox_id_seq);
    expired CONSTANT bigint := (SELECT m.expired_through FROM rowcast.maintenance AS m);
    written CONSTANT rowcast.outbox := (SELECT o FROM rowcast.outbox AS o WHERE o.id = event_id);
    owners  text[];
BEGIN
    rule := 'drawn';
    passes := event_id BETWEEN 1 AND greatest(drawn, written.id);
    detail := format(CASE WHEN passes THEN 'ids have been given out up to %s' ELSE 'no event has had this id yet: they have been given out up to %s' END, drawn);
    RETURN NEXT;
    IF NOT passes THEN
        RETURN;
    END IF;

    rule := 'kept';
    passes := event_id > expired;
    detail := CASE WHEN passes THEN format('history has expired up to %s', expired)
                   ELSE format('expired and deleted for its age, as all up to %s: see retention in rowcast.settings', expired) END;
    RETURN NEXT;
    IF NOT passes THEN
        RETURN;
    END IF;

    rule := 'committed';
    passes := written.id IS NOT NULL;
    IF passes THEN
        detail := concat_ws(' ', written.operation, coalesce(written.source, 'rowcast.emit()'), written.source_key) || format(', written %s', written.created_at);
        RETURN NEXT;
        RETURN;
    END IF;
    IF (SELECT s.undecided @> event_id FROM rowcast.settled AS s) THEN
        owners := ARRAY(SELECT rowcast.possible_owners(event_id));
    END IF;
    detail := CASE WHEN owners <> '{}' THEN format('in an open gap: it may still come with %s', array_to_string(owners, '; or ')) ELSE
        'rolled back, or taken out of the outbox by hand: no transaction that is open could write it (one that has committed this very moment is seen at the next call)' END;
    RETURN NEXT;
END
$$;

-- May the user see it? The rules of src/policy.
CREATE OR REPLACE FUNCTION rowcast.explain_access(event rowcast.outbox, user_id text) RETURNS TABLE (rule text, passes boolean, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    organization CONSTANT text := event.organization_id;
    place        CONSTANT text := coalesce('in ' || event.organization_id, 'platform-wide');
    kind rowcast.event_types;
    held text[];
    held_here text[];
BEGIN
    SELECT t.* INTO kind FROM rowcast.event_types AS t WHERE t.name = event.event_type;
    rule := 'type';
    passes := kind.name IS NOT NULL;
    detail := format(CASE WHEN passes THEN '%s' ELSE '%s is not in rowcast.event_types: nobody sees it' END, event.event_type);
    RETURN NEXT;

    rule := 'audience';
    passes := CASE event.audience WHEN 'organization' THEN organization IS NOT NULL WHEN 'platform' THEN organization IS NULL ELSE event.audience = 'user' END;
    detail := CASE
        WHEN passes THEN CASE event.audience WHEN 'organization' THEN format('members of %s', organization) WHEN 'platform' THEN 'everybody' ELSE format('%s alone, and admins', event.user_id) END
        WHEN event.audience = 'nobody' THEN format('nobody: organization_id or user_id of %s yielded NULL for this row, as where a cascade had deleted the parent', coalesce(event.source, 'rowcast.emit()'))
        ELSE format('nobody: there is no audience %s %s', event.audience, CASE WHEN organization IS NULL THEN 'without an organization' ELSE 'of an organization' END) END;
    RETURN NEXT;

    rule := 'known';
    held := ARRAY(SELECT DISTINCT coalesce(g.organization_id, 'all organizations') FROM rowcast.grants AS g WHERE g.user_id = user_id ORDER BY 1);
    passes := held <> '{}';
    detail := CASE WHEN passes THEN format('%s has grants in %s', user_id, array_to_string(held[:10], ', ') || CASE WHEN cardinality(held) > 10 THEN ', …' ELSE '' END)
                   ELSE format('%s has no row in rowcast.grants: the stream is refused', user_id) END;
    RETURN NEXT;
    IF NOT passes THEN
        RETURN;
    END IF;

    rule := 'member';
    passes := organization IS NULL OR EXISTS (SELECT FROM rowcast.grants AS g WHERE g.user_id = user_id AND (g.organization_id IS NULL OR g.organization_id = organization));
    detail := CASE WHEN organization IS NULL THEN 'the event is platform-wide' WHEN passes THEN format('of %s', organization) ELSE format('not a member of %s', organization) END;
    RETURN NEXT;

    held_here := rowcast.permissions(user_id, organization);
    rule := 'permission';
    passes := kind.required_permission IS NULL OR kind.required_permission = ANY (held_here);
    detail := CASE
        WHEN kind.name IS NULL THEN 'none is required of an unknown type'
        WHEN kind.required_permission IS NULL THEN format('%s requires none', kind.name)
        WHEN passes THEN format('holds %s %s', kind.required_permission, place)
        ELSE format('%s requires %s, which %s does not hold %s', kind.name, kind.required_permission, user_id, place) END;
    RETURN NEXT;

    rule := 'private';
    passes := event.audience <> 'user' OR event.user_id IS NOT DISTINCT FROM user_id OR 'admin' = ANY (held_here);
    detail := CASE
        WHEN event.audience <> 'user' THEN 'the event is not private'
        WHEN event.user_id = user_id THEN 'to this user'
        WHEN passes THEN format('to %s, but this user holds admin %s', event.user_id, place)
        ELSE format('to %s, and this user does not hold admin %s', event.user_id, place) END;
    RETURN NEXT;
END
$$;

-- What the user holds in the organization, or platform-wide where that is NULL. Not bound to the view, which may be dropped with the tables that it reads.
CREATE OR REPLACE FUNCTION rowcast.permissions(user_id text, organization text) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(
        SELECT DISTINCT g.permission FROM rowcast.grants AS g
        WHERE g.user_id = permissions.user_id AND g.permission IS NOT NULL AND (g.organization_id IS NULL OR g.organization_id = permissions.organization))
$$;

-- Does a stream ask for it?
CREATE OR REPLACE FUNCTION rowcast.explain_streams(event rowcast.outbox, user_id text, subscriptions text[], organization text)
RETURNS TABLE (rule text, passes boolean, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    stream  record;
    sent    boolean;
    refused text;
BEGIN
    rule := 'subscribed';
    IF subscriptions IS NOT NULL OR organization IS NOT NULL THEN
        -- A server refuses a stream of an organization that its user is not in, or of a type that its user may see nowhere in it.
        refused := CASE
            WHEN NOT EXISTS (SELECT FROM rowcast.grants AS g WHERE g.user_id = user_id AND (organization IS NULL OR g.organization_id IS NULL OR g.organization_id = organization))
                THEN format('not a member of %s', organization)
            ELSE (SELECT format('%s requires %s, which %s does not hold', t.name, t.required_permission, user_id)
                  FROM rowcast.event_types AS t
                  WHERE t.name = ANY (subscriptions) AND t.name <> 'connection_status' AND t.required_permission IS NOT NULL
                    AND NOT EXISTS (SELECT FROM rowcast.grants AS g
                                    WHERE g.user_id = user_id AND g.permission = t.required_permission
                                      AND (organization IS NULL OR g.organization_id IS NULL OR g.organization_id = organization))
                  ORDER BY t.name LIMIT 1) END;
        passes := refused IS NULL
              AND (subscriptions IS NULL OR event.event_type = ANY (subscriptions))
              AND (organization IS NULL OR event.organization_id IS NULL OR event.organization_id = organization);
        detail := CASE
            WHEN passes THEN 'to what was asked for'
            WHEN refused IS NOT NULL THEN refused || ': the stream is refused'
            WHEN event.event_type <> ALL (subscriptions) THEN format('not to %s', event.event_type)
            ELSE format('to %s, and the event is of %s', organization, event.organization_id) END;
        RETURN NEXT;
        RETURN;
    END IF;

    FOR stream IN
        -- Servers that have not been seen for so long are gone, and what they left of streams counts no more.
        SELECT c.* FROM rowcast.connections AS c JOIN rowcast.servers AS s ON s.id = c.server AND s.seen_at > clock_timestamp() - interval '15 s'
        WHERE c.user_id = user_id ORDER BY c.connected_at, c.id
    LOOP
        rule := 'stream';
        passes := event.event_type = ANY (stream.event_types)
              AND (stream.organizations IS NULL OR event.organization_id IS NULL OR event.organization_id = ANY (stream.organizations));
        sent := coalesce(sent, false) OR passes;
        detail := format('%s: %s', stream.id, concat_ws('; ', CASE
            WHEN passes THEN 'includes it'
            WHEN event.event_type <> ALL (stream.event_types) THEN format('is subscribed to %s', coalesce(nullif(array_to_string(stream.event_types, ', '), ''), 'nothing'))
            ELSE format('is of %s', coalesce(nullif(array_to_string(stream.organizations, ', '), ''), 'no organization')) END,
            CASE WHEN NOT stream.active THEN 'its client takes nothing at present' END));
        RETURN NEXT;
    END LOOP;
    rule := 'subscribed';
    passes := sent;
    detail := CASE WHEN sent THEN 'an open stream includes it' WHEN sent IS NULL THEN 'has no stream open; one for everything would get it' ELSE 'no open stream includes it' END;
    RETURN NEXT;
END
$$;

-- What would be missing in it?
CREATE OR REPLACE FUNCTION rowcast.explain_data(event rowcast.outbox, user_id text) RETURNS TABLE (rule text, passes boolean, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    hidden record;
BEGIN
    IF event.data = '{"erased": true}' THEN
        rule := 'erased';
        detail := 'its data has been erased (rowcast.erase)';
        RETURN NEXT;
    ELSIF event.data -> 'truncated' = 'true' THEN
        rule := 'truncated';
        detail := 'its data was too large, or not possible in JSON: only the key is sent';
        RETURN NEXT;
    END IF;
    rule := 'redacted';
    FOR hidden IN SELECT f.* FROM rowcast.hidden_fields(event, user_id) AS f LOOP
        detail := CASE WHEN hidden.path = '{}' THEN format('data is nested too deep to look for fields in it: %s is sent', hidden.replacement) ELSE
            format('%s is %s: seen with %s %s', hidden.path, CASE WHEN hidden.replacement IS NULL THEN 'removed' ELSE format('replaced by %s', hidden.replacement) END,
                   hidden.unless_permission, coalesce('in ' || event.organization_id, 'platform-wide')) END;
        RETURN NEXT;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION rowcast.explain(user_id text, event_id bigint, subscriptions text[] DEFAULT NULL, organization text DEFAULT NULL)
RETURNS TABLE (rule text, passes boolean, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    event    rowcast.outbox;
    step     record;
    refusing text;
    unknown  CONSTANT text := (SELECT string_agg(s.name, ', ') FROM unnest(subscriptions) AS s (name)
                               WHERE NOT EXISTS (SELECT FROM rowcast.event_types AS t WHERE t.name = s.name));
BEGIN
    IF user_id IS NULL OR event_id IS NULL THEN
        RAISE EXCEPTION 'user_id and event_id must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'For example SELECT * FROM rowcast.explain(''ann'', 1047);';
    ELSIF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'unknown event types in subscriptions: %', unknown
            USING ERRCODE = 'invalid_parameter_value', HINT = 'They are in rowcast.event_types. A server refuses such a stream.';
    END IF;
    SELECT o.* INTO event FROM rowcast.outbox AS o WHERE o.id = event_id;
    FOR step IN
        SELECT e.* FROM rowcast.explain_event(event_id) AS e
        UNION ALL
        SELECT a.* FROM rowcast.explain_access(event, user_id) AS a WHERE event.id IS NOT NULL
    LOOP
        rule := step.rule; passes := step.passes; detail := step.detail;
        refusing := coalesce(refusing, CASE WHEN NOT passes THEN rule END);
        RETURN NEXT;
    END LOOP;
    -- What would be missing of an event is of no interest to who may not see it, nor are streams.
    IF refusing IS NULL THEN
        FOR step IN
            SELECT s.* FROM rowcast.explain_streams(event, user_id, subscriptions, organization) AS s
            UNION ALL
            SELECT d.* FROM rowcast.explain_data(event, user_id) AS d
        LOOP
            rule := step.rule; passes := step.passes; detail := step.detail;
            -- One stream that leaves it out is no refusal: another may have it.
            refusing := coalesce(refusing, CASE WHEN NOT passes AND rule <> 'stream' THEN rule END);
            RETURN NEXT;
        END LOOP;
    END IF;
    rule := 'delivered';
    passes := refusing IS NULL;
    detail := CASE WHEN passes THEN format('%s gets event %s', user_id, event_id) ELSE format('%s does not get event %s: %s', user_id, event_id, refusing) END;
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION rowcast.explain(text, bigint, text[], text) IS 'Would this user get this event now, and if not, which rule says so?';

-- Whoever may call it may read all that it tells.
GRANT EXECUTE ON FUNCTION
    rowcast.redact(jsonb, text[], jsonb, integer),
    rowcast.possible_owners(bigint),
    rowcast.permissions(text, text),
    rowcast.hidden_fields(rowcast.outbox, text),
    rowcast.explain_event(bigint),
    rowcast.explain_access(rowcast.outbox, text),
    rowcast.explain_streams(rowcast.outbox, text, text[], text),
    rowcast.explain_data(rowcast.outbox, text),
    rowcast.explain(text, bigint, text[], text)
    TO rowcast_server, rowcast_reader;
