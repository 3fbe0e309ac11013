-- Alerts: rules that the DBA owns, what they are judged by, and one row for each time that one of them has fired.

CREATE TABLE rowcast.alert_rules (
    id                bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    metric            text        NOT NULL,
    comparison        text        NOT NULL,
    threshold         numeric     NOT NULL,
    resolve_threshold numeric,
    "for"             interval    NOT NULL DEFAULT '0',
    "window"          interval,
    stale_after       interval    NOT NULL DEFAULT '15 minutes',
    organization_id   text,
    chatbot_id        text,
    severity          text        NOT NULL DEFAULT 'medium',
    enabled           boolean     NOT NULL DEFAULT true,
    description       text,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- By how it is written, since Postgres takes 24 hours for a day and 30 days for a month.
    budget            text        GENERATED ALWAYS AS (
        CASE WHEN metric <> 'cost' THEN NULL
             WHEN interval_send("window") = interval_send(interval '1 day') THEN 'day'
             WHEN interval_send("window") = interval_send(interval '1 month') THEN 'month'
        END) STORED,
    CONSTRAINT metric_has_a_name CHECK (metric <> ''),
    CONSTRAINT comparison_is_one_of_4 CHECK (comparison IN ('>', '>=', '<', '<=')),
    CONSTRAINT threshold_is_a_number CHECK (abs(threshold) < 1e300 AND abs(coalesce(resolve_threshold, 0)) < 1e300),
    CONSTRAINT resolve_threshold_is_on_the_side_where_all_is_well CHECK (
        CASE WHEN comparison LIKE '>%' THEN resolve_threshold <= threshold ELSE resolve_threshold >= threshold END),
    CONSTRAINT for_is_up_to_30_days CHECK ("for" >= interval '0' AND "for" <= interval '30 days'),
    CONSTRAINT window_is_up_to_a_day_or_a_month_of_cost CHECK (
        "window" > interval '0' AND ("window" <= interval '1 day' OR budget IS NOT NULL)),
    CONSTRAINT stale_after_is_some_time_up_to_30_days CHECK (stale_after > interval '0' AND stale_after <= interval '30 days'),
    CONSTRAINT severity_is_low_medium_high_or_critical CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    CONSTRAINT organization_has_a_name CHECK (organization_id <> ''),
    CONSTRAINT chatbot_has_a_name CHECK (chatbot_id <> ''),
    CONSTRAINT budget_can_only_be_exceeded CHECK (budget IS NULL OR comparison LIKE '>%'),
    CONSTRAINT budget_is_for_its_whole_period CHECK (budget IS NULL OR "for" = interval '0' AND resolve_threshold IS NULL)
);

-- Samples that windows need, and those that have been read and not judged yet. No foreign keys here: a rule that somebody is deleting must
-- not keep the others waiting.
CREATE TABLE rowcast.metric_samples (
    rule_id         bigint      NOT NULL,
    organization_id text        NOT NULL,
    chatbot_id      text        NOT NULL,
    sampled_at      timestamptz NOT NULL,
    event_id        bigint      NOT NULL,
    value           numeric     NOT NULL,
    PRIMARY KEY (rule_id, organization_id, chatbot_id, sampled_at, event_id)
);

CREATE TABLE rowcast.alert_states (
    rule_id         bigint      NOT NULL,
    organization_id text        NOT NULL,
    chatbot_id      text        NOT NULL,
    sampled_at      timestamptz NOT NULL,
    event_id        bigint      NOT NULL,
    value           numeric     NOT NULL,
    beyond_since    timestamptz,
    well_since      timestamptz,
    PRIMARY KEY (rule_id, organization_id, chatbot_id)
) WITH (fillfactor = 50);

CREATE TABLE rowcast.alerts (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule_id         bigint      NOT NULL,
    organization_id text        NOT NULL,
    chatbot_id      text,
    metric          text        NOT NULL,
    severity        text        NOT NULL,
    fired_at        timestamptz NOT NULL,
    value           numeric     NOT NULL,
    threshold       numeric     NOT NULL,
    message         text        NOT NULL,
    resolved_at     timestamptz,
    resolved_value  numeric,
    resolution      text,
    period_start    date,
    rule            jsonb       NOT NULL
);
-- What fires does so once.
CREATE UNIQUE INDEX alerts_firing ON rowcast.alerts (rule_id, organization_id, coalesce(chatbot_id, '')) WHERE resolved_at IS NULL;
-- For an end to history.
CREATE INDEX alerts_resolved ON rowcast.alerts (resolved_at);

-- How far events have been judged, and by which rules.
CREATE TABLE rowcast.alerting (
    only_row          boolean       PRIMARY KEY DEFAULT true CHECK (only_row),
    unread            int8multirange NOT NULL,
    rules             jsonb         NOT NULL DEFAULT '{}',
    budgets_judged_at timestamptz   NOT NULL DEFAULT '-infinity'
);
INSERT INTO rowcast.alerting (unread) SELECT undecided FROM rowcast.settled;

COMMENT ON TABLE rowcast.alert_rules IS 'When a figure is worth an alert. Yours to write; rowcast.evaluate_alerts() judges by it.';
COMMENT ON COLUMN rowcast.alert_rules.metric IS 'A key of the data of chatbot_metrics events: responseTime, successRate, cost, …, or a path, trends.responseTime.change.';
COMMENT ON COLUMN rowcast.alert_rules.comparison IS '>, >=, < or <=: the alert fires while the value is that to the threshold.';
COMMENT ON COLUMN rowcast.alert_rules.resolve_threshold IS 'The alert is over when the value is no longer beyond this. Null: the threshold itself.';
COMMENT ON COLUMN rowcast.alert_rules."for" IS 'For how long the value must be beyond before the alert fires, and back before it is over.';
COMMENT ON COLUMN rowcast.alert_rules."window" IS
    'Null: each value by itself. A time: the average over it. For cost, 1 day and 1 month: the sum of the calendar''s day or month.';
COMMENT ON COLUMN rowcast.alert_rules.stale_after IS 'After so long without a value an alert is over, and what is older fires none.';
COMMENT ON COLUMN rowcast.alert_rules.organization_id IS 'Null: every organization, each by itself.';
COMMENT ON COLUMN rowcast.alert_rules.chatbot_id IS 'Null: every chatbot, each by itself; for a sum of cost, all of an organization''s together.';
COMMENT ON COLUMN rowcast.alert_rules.severity IS 'The priority of the events: low, medium, high or critical.';
COMMENT ON COLUMN rowcast.alert_rules.budget IS 'Whether the rule is about a sum of costs: day or month. Follows from metric and window.';
COMMENT ON TABLE rowcast.metric_samples IS 'What rules with a window average over. Kept by rowcast.evaluate_alerts().';
COMMENT ON COLUMN rowcast.metric_samples.chatbot_id IS 'Empty: the event was of no chatbot.';
COMMENT ON TABLE rowcast.alert_states IS 'The last value of each rule, organization and chatbot, and since when it has been beyond, or back.';
COMMENT ON COLUMN rowcast.alert_states.beyond_since IS 'Since when it has been beyond the threshold, while nothing fires.';
COMMENT ON COLUMN rowcast.alert_states.well_since IS 'Since when it has been back, while the alert fires.';
COMMENT ON TABLE rowcast.alerts IS 'Each time that a rule has fired. An INSERT is a firing performance_alert, an UPDATE a resolved one.';
COMMENT ON COLUMN rowcast.alerts.value IS 'What the value was when it fired.';
COMMENT ON COLUMN rowcast.alerts.resolution IS 'Why it is over, in words.';
COMMENT ON COLUMN rowcast.alerts.period_start IS 'For a sum of costs: the first day of the day or month.';
COMMENT ON COLUMN rowcast.alerts.rule IS 'The rule as it was.';
COMMENT ON TABLE rowcast.alerting IS 'How far rowcast.evaluate_alerts() has come.';
COMMENT ON COLUMN rowcast.alerting.unread IS 'The ids of events that have not been judged.';
COMMENT ON COLUMN rowcast.alerting.rules IS 'The rules that were judged by last.';
