-- What alerts say: plain sentences, with units where the metric is one of the built-in ones (docs/events.md).

-- A figure: 6,200 ms; 82%; $52.30.
CREATE OR REPLACE FUNCTION rowcast.alert_figure(metric text, value numeric) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE metric
        WHEN 'cost' THEN '$' || CASE WHEN abs(value) < 1 THEN n.plain ELSE coalesce(n.cents, n.plain) END
        WHEN 'responseTime' THEN n.plain || ' ms'
        WHEN 'successRate' THEN n.percent || '%'
        WHEN 'tokenUsage' THEN n.plain || ' tokens'
        ELSE n.plain
    END
    FROM (SELECT CASE
                     WHEN abs(value) >= 1e12 THEN value::float8::text
                     -- Small ones by their digits, others by what one can take in.
                     WHEN abs(value) < 1 THEN trim_scale(round(value, 6))::text
                     ELSE rtrim(to_char(value, 'FM999,999,999,999,990.99'), '.')
                 END AS plain,
                 CASE WHEN abs(value) < 1e12 THEN to_char(value, 'FM999,999,999,999,990.00') END AS cents,
                 CASE WHEN abs(value) < 1e10 THEN rtrim(to_char(value * 100, 'FM999,999,999,999,990.99'), '.') ELSE (value::float8 * 100)::text END AS percent
         ) n;
END;

-- A length of time: 90 s; 5 min; 2 h; 1 day.
CREATE OR REPLACE FUNCTION rowcast.alert_span(span interval) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE
        WHEN seconds % 86400 = 0 THEN (seconds / 86400)::bigint || CASE seconds WHEN 86400 THEN ' day' ELSE ' days' END
        WHEN seconds % 3600 = 0 THEN (seconds / 3600)::bigint || ' h'
        WHEN seconds % 60 = 0 THEN (seconds / 60)::bigint || ' min'
        ELSE trim_scale(seconds) || ' s'
    END
    FROM extract(epoch FROM span) AS seconds;
END;

CREATE OR REPLACE FUNCTION rowcast.alert_relation(comparison text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE comparison WHEN '>' THEN 'above' WHEN '>=' THEN 'at or above' WHEN '<' THEN 'below' ELSE 'at or below' END;

-- "responseTime of bot_x is 6,200 ms on average over 10 min, above 5,000 ms for 5 min". `relation` and `limit_value` are what is said of the threshold.
CREATE OR REPLACE FUNCTION rowcast.alert_sentence(rule rowcast.alert_rules, subject text, value numeric, relation text, limit_value numeric) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN format('%s of %s is %s%s, %s %s%s',
              rule.metric, subject, rowcast.alert_figure(rule.metric, value),
              CASE WHEN rule."window" IS NOT NULL THEN ' on average over ' || rowcast.alert_span(rule."window") ELSE '' END,
              relation, rowcast.alert_figure(rule.metric, limit_value),
              CASE WHEN rule."for" > interval '0' THEN ' for ' || rowcast.alert_span(rule."for") ELSE '' END);

-- The same of a sum of costs: "cost of acme is $52.30 today, above $50.00 a day".
CREATE OR REPLACE FUNCTION rowcast.budget_sentence(rule rowcast.alert_rules, subject text, spent numeric) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN format('cost of %s is %s %s, %s %s a %s',
              subject, rowcast.alert_figure('cost', spent), CASE rule.budget WHEN 'day' THEN 'today' ELSE 'this month' END,
              rowcast.alert_relation(rule.comparison), rowcast.alert_figure('cost', rule.threshold), rule.budget);
