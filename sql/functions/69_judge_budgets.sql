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

-- All rules at once, since each of them by itself would read the month. What is over and what fires: at most so many of each at a time, the others at the next.
CREATE OR REPLACE FUNCTION rowcast.judge_budgets(rules rowcast.alert_rules[], now timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 1000;
BEGIN
    PERFORM rowcast.resolve_alert(a.id, s.cost, now, format('cost of %s was %s %s: the %s is over',
                coalesce(a.chatbot_id, a.organization_id), rowcast.alert_figure('cost', s.cost),
                CASE a.budget WHEN 'day' THEN 'on ' || to_char(a.period_start, 'YYYY-MM-DD') ELSE 'in ' || to_char(a.period_start, 'YYYY-MM') END,
                a.budget))
    FROM (SELECT a.*, r.budget
          FROM rowcast.alerts a JOIN unnest(rules) AS r ON r.id = a.rule_id
          WHERE a.resolved_at IS NULL AND a.period_start < rowcast.budget_start(r.budget, now)
          ORDER BY a.id
          LIMIT most) AS a
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(c.cost), a.value) AS cost
        FROM rowcast.daily_costs c
        WHERE c.organization_id = a.organization_id AND c.day >= a.period_start AND c.day < rowcast.budget_end(a.budget, a.period_start)
          AND (a.chatbot_id IS NULL OR c.chatbot_id = a.chatbot_id)) AS s;

    PERFORM FROM (
        WITH period AS MATERIALIZED (
            SELECT b.budget, s.start, rowcast.budget_end(b.budget, s.start) AS after
            FROM (SELECT DISTINCT r.budget FROM unnest(rules) AS r WHERE r.budget IS NOT NULL) AS b
            CROSS JOIN LATERAL rowcast.budget_start(b.budget, now) AS s (start)
        ), spent AS MATERIALIZED (
            -- Of each chatbot, and of all that an organization has: an empty name, which no rule can name.
            SELECT p.budget, p.start, c.organization_id, coalesce(c.chatbot_id, '') AS chatbot_id, sum(c.cost) AS cost
            FROM period p JOIN rowcast.daily_costs c ON c.day >= p.start AND c.day < p.after
            GROUP BY GROUPING SETS ((p.budget, p.start, c.organization_id, c.chatbot_id), (p.budget, p.start, c.organization_id))
            HAVING grouping(c.chatbot_id) = 1 OR c.chatbot_id <> ''
        )
        SELECT rowcast.fire_alert(r, s.organization_id, r.chatbot_id, s.cost, now,
                                  rowcast.budget_sentence(r, coalesce(r.chatbot_id, s.organization_id), s.cost), s.start)
        FROM unnest(rules) AS r
        JOIN spent s ON s.budget = r.budget AND s.chatbot_id = coalesce(r.chatbot_id, '') AND (r.organization_id IS NULL OR s.organization_id = r.organization_id)
        WHERE rowcast.is_beyond(s.cost, r.comparison, r.threshold)
          AND NOT EXISTS (SELECT FROM rowcast.alerts a
                          WHERE a.rule_id = r.id AND a.organization_id = s.organization_id
                            AND coalesce(a.chatbot_id, '') = coalesce(r.chatbot_id, '') AND a.resolved_at IS NULL)
        ORDER BY r.id, s.organization_id
        LIMIT most
    ) AS fired;
END
$$;
