-- What rules say, by their ids: {"7": {"metric": …}}. A rule that says something else than before is judged anew, and what fires by its old words is over.
--
-- Intervals are written by the setting intervalstyle, which whoever compares has to fix.

CREATE OR REPLACE FUNCTION rowcast.terms_of_rule(rule jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN rule - '{enabled,description,created_at}'::text[];

CREATE OR REPLACE FUNCTION rowcast.alert_terms(rules rowcast.alert_rules[]) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(jsonb_object_agg(r.id, rowcast.terms_of_rule(to_jsonb(r))), '{}') FROM unnest(rules) r;
END;

-- Ends what was judged by rules that have gone, are switched off or say something else: of alerts a thousand at a time, the others at the next.
CREATE OR REPLACE FUNCTION rowcast.forget_changed_rules(known jsonb, terms jsonb, now timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed bigint[] := ARRAY(SELECT k.key::bigint FROM jsonb_each(known) k WHERE terms -> k.key IS DISTINCT FROM k.value);
BEGIN
    PERFORM rowcast.resolve_alert(a.id, a.value, now, format('%s of %s: the rule was %s', a.metric, coalesce(a.chatbot_id, a.organization_id),
                CASE WHEN r.id IS NULL THEN 'deleted' WHEN NOT r.enabled THEN 'switched off' ELSE 'changed' END))
    FROM rowcast.alerts a LEFT JOIN rowcast.alert_rules r ON r.id = a.rule_id
    WHERE a.id IN (SELECT f.id FROM rowcast.alerts f
                   WHERE f.resolved_at IS NULL AND rowcast.terms_of_rule(f.rule) IS DISTINCT FROM terms -> f.rule_id::text
                   ORDER BY f.id LIMIT 1000);
    DELETE FROM rowcast.alert_states s WHERE s.rule_id = ANY (changed);
    DELETE FROM rowcast.metric_samples s WHERE s.rule_id = ANY (changed);
END
$$;

-- Rules look at what comes after them. While there are none nobody reads, so that the first one begins where servers have come to.
CREATE OR REPLACE FUNCTION rowcast.alert_rules_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE rowcast.alerting a SET unread = s.undecided FROM rowcast.settled s WHERE a.rules = '{}' AND a.unread <> s.undecided;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER alert_rules_changed AFTER INSERT OR UPDATE ON rowcast.alert_rules
    FOR EACH STATEMENT EXECUTE FUNCTION rowcast.alert_rules_changed();
