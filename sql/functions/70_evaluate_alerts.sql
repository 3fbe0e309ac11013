-- Judges what has come since the last time by the rules that there are. Callable by any server and by cron, as often as you like: whoever comes while another is at
-- it leaves it to that one, and what is fired or resolved is in the transaction that moves the position on, so it happens once, whoever dies when.
--
-- Returns whether there is more to read: a call takes 10,000 rows of the outbox at most, and of figures no more than make 3,000 series with as many rules as there are. So it
-- comes to its end in the time that a statement has, however much is waiting.

-- Whether there may be anything to do: one look, without a lock.
CREATE OR REPLACE FUNCTION rowcast.alerts_are_due(now timestamptz) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM rowcast.alerts a WHERE a.resolved_at IS NULL)
        OR CASE WHEN EXISTS (SELECT FROM rowcast.alert_rules r WHERE r.enabled)
                THEN EXISTS (SELECT FROM rowcast.alerting a, rowcast.settled s WHERE a.unread <> s.undecided)
                  OR EXISTS (SELECT FROM rowcast.alert_rules r WHERE r.enabled AND r.budget IS NOT NULL)
                ELSE EXISTS (SELECT FROM rowcast.alerting a WHERE a.rules <> '{}') END;
END;

-- Sums are looked up this often, and at once when a rule has changed.
CREATE OR REPLACE FUNCTION rowcast.budgets_are_due(progress rowcast.alerting, terms jsonb, now timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN progress.rules <> terms OR now NOT BETWEEN progress.budgets_judged_at AND progress.budgets_judged_at + interval '5 s';

CREATE OR REPLACE FUNCTION rowcast.evaluate_alerts(now timestamptz DEFAULT clock_timestamp()) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET intervalstyle = postgres
SET jit = off
AS $$
DECLARE
    progress  rowcast.alerting;
    rules     rowcast.alert_rules[];
    terms     jsonb;
    undecided int8multirange;
    ids       int8multirange;
    last_id   bigint;
    series    record;
BEGIN
    IF NOT rowcast.alerts_are_due(now) THEN
        RETURN false;
    END IF;
    SELECT * INTO progress FROM rowcast.alerting FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- Not before the lock: whoever had it may have been told of newer rules.
    rules := ARRAY(SELECT r FROM rowcast.alert_rules r WHERE r.enabled ORDER BY r.id);
    terms := rowcast.alert_terms(rules);
    PERFORM rowcast.forget_changed_rules(progress.rules, terms, now);
    IF rules = '{}' THEN
        UPDATE rowcast.alerting a SET rules = terms;
        RETURN false;
    END IF;

    undecided := (SELECT s.undecided FROM rowcast.settled s);
    ids := progress.unread - undecided;
    last_id := rowcast.end_of_piece(ids, 10000, greatest(3000 / cardinality(rules), 1));
    ids := ids * int8multirange(int8range(NULL, last_id, '(]'));
    FOR series IN
        SELECT r AS rule, t.* FROM rowcast.take_samples(rules, ids, now) t JOIN unnest(rules) AS r ON r.id = t.rule_id
    LOOP
        PERFORM rowcast.judge_series(series.rule, series.organization_id, series.chatbot_id, series.first_at, now);
    END LOOP;
    -- While there is more to read, who knows what has stopped.
    IF last_id IS NULL THEN
        PERFORM rowcast.resolve_all_stale(rules, now);
    END IF;
    IF rowcast.budgets_are_due(progress, terms, now) THEN
        BEGIN
            PERFORM rowcast.judge_budgets(rules, now);
        EXCEPTION WHEN invalid_parameter_value THEN
            RAISE WARNING 'sums of cost cannot be judged: %', SQLERRM USING HINT = 'See the setting cost_time_zone in rowcast.settings.';
        END;
        progress.budgets_judged_at := now;
    END IF;
    -- What is undecided again, since somebody has set the outbox back, will be read again: it is part of this.
    UPDATE rowcast.alerting a
    SET unread = undecided + (progress.unread - undecided - ids), rules = terms, budgets_judged_at = progress.budgets_judged_at;
    RETURN last_id IS NOT NULL;
END
$$;
COMMENT ON FUNCTION rowcast.evaluate_alerts(timestamptz) IS 'Judges new chatbot_metrics events and costs by rowcast.alert_rules; a running server does it every second.';
