-- Sums of cost by the calendar's day or month, from rowcast.daily_costs: what passes its threshold fires once, and is over with the day or the month.

-- The first day of the day or month.
CREATE OR REPLACE FUNCTION rowcast.budget_start(budget text, now timestamptz) RETURNS date
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN date_trunc(budget, now AT TIME ZONE rowcast.cost_time_zone())::date;

-- The day after the last.
CREATE OR REPLACE FUNCTION rowcast.budget_end(budget text, period_start date) RETURNS date
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN (period_start + CASE budget WHEN 'day' THEN interval '1 day' ELSE interval '1 month' END)::date;

-- What each organization has spent; null: all chatbots of all of them.
CREATE OR REPLACE FUNCTION rowcast.spent(budget text, period_start date, organization text, chatbot text) RETURNS TABLE (organization_id text, cost numeric)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.organization_id, sum(c.cost)
    FROM rowcast.daily_costs c
    WHERE c.day >= period_start AND c.day < rowcast.budget_end(budget, period_start)
      AND (organization IS NULL OR c.organization_id = organization)
      AND (chatbot IS NULL OR c.chatbot_id = chatbot)
    GROUP BY c.organization_id;
END;

CREATE OR REPLACE FUNCTION rowcast.judge_budget(rule rowcast.alert_rules, now timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this CONSTANT date := rowcast.budget_start(rule.budget, now);
BEGIN
    PERFORM rowcast.resolve_alert(a.id, coalesce(s.cost, a.value), now, format('cost of %s was %s %s: the %s is over',
                coalesce(a.chatbot_id, a.organization_id), rowcast.alert_figure('cost', coalesce(s.cost, a.value)),
                CASE rule.budget WHEN 'day' THEN 'on ' || to_char(a.period_start, 'YYYY-MM-DD') ELSE 'in ' || to_char(a.period_start, 'YYYY-MM') END,
                rule.budget))
    FROM rowcast.alerts a
    LEFT JOIN LATERAL rowcast.spent(rule.budget, a.period_start, a.organization_id, a.chatbot_id) s ON true
    WHERE a.rule_id = rule.id AND a.resolved_at IS NULL AND a.period_start < this;

    PERFORM rowcast.fire_alert(rule, s.organization_id, rule.chatbot_id, s.cost, now,
                               rowcast.budget_sentence(rule, coalesce(rule.chatbot_id, s.organization_id), s.cost), this)
    FROM rowcast.spent(rule.budget, this, rule.organization_id, rule.chatbot_id) s
    WHERE rowcast.is_beyond(s.cost, rule.comparison, rule.threshold)
      AND NOT EXISTS (SELECT FROM rowcast.alerts a
                      WHERE a.rule_id = rule.id AND a.organization_id = s.organization_id
                        AND coalesce(a.chatbot_id, '') = coalesce(rule.chatbot_id, '') AND a.resolved_at IS NULL);
END
$$;
