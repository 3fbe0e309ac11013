-- The figures of chatbots, and what they cost: computed from the app's messages (rowcast.use_messages), where the app has none itself.

-- One price list for all organizations, in US dollars. Money is numeric throughout: sums are exact to the last digit.
CREATE TABLE rowcast.model_prices (
    model              text        NOT NULL,
    input_per_million  numeric     NOT NULL CHECK (input_per_million >= 0 AND input_per_million < 'Infinity'),
    output_per_million numeric     NOT NULL CHECK (output_per_million >= 0 AND output_per_million < 'Infinity'),
    valid_from         timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (model, valid_from)
);

-- One row for each chatbot and run; each becomes an event (sql/functions/96_attach_producers.sql).
CREATE TABLE rowcast.chatbot_metrics (
    id                   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    measured_at          timestamptz NOT NULL,
    window_length        interval    NOT NULL,
    organization_id      text        NOT NULL,
    chatbot_id           text        NOT NULL,
    messages             bigint      NOT NULL,
    active_conversations bigint      NOT NULL,
    response_time_ms     numeric,
    response_time_p95_ms numeric,
    success_rate         numeric,
    input_tokens         numeric     NOT NULL,
    output_tokens        numeric     NOT NULL,
    unpriced_tokens      numeric     NOT NULL,
    unpriced_models      text[]      NOT NULL,
    cost                 numeric     NOT NULL,
    satisfaction         numeric,
    trends               jsonb       NOT NULL
);
-- For the last run, and for an end to history.
CREATE INDEX chatbot_metrics_measured ON rowcast.chatbot_metrics (measured_at);

CREATE TABLE rowcast.daily_costs (
    day             date        NOT NULL,
    organization_id text        NOT NULL,
    chatbot_id      text        NOT NULL,
    input_tokens    numeric     NOT NULL,
    output_tokens   numeric     NOT NULL,
    unpriced_tokens numeric     NOT NULL,
    cost            numeric     NOT NULL,
    counted_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (day, organization_id, chatbot_id)
);

-- For what an organization has spent.
CREATE INDEX daily_costs_of_organization ON rowcast.daily_costs (organization_id, day);

INSERT INTO rowcast.settings (name, value, description) VALUES
    ('cost_time_zone', 'UTC', 'whose days rowcast.daily_costs counts by: a time zone, such as Europe/Berlin'),
    ('metrics_retention', '90 days', 'how long rowcast.chatbot_metrics is kept: an interval, or none for ever'),
    ('costs_retention', '400 days', 'how long rowcast.daily_costs is kept: an interval, or none for ever');

COMMENT ON TABLE rowcast.model_prices IS 'What a million tokens of a language model cost. Yours to fill; shipped empty.';
COMMENT ON COLUMN rowcast.model_prices.valid_from IS 'For messages from then on, until a later price of the model; -infinity: from the beginning.';
COMMENT ON TABLE rowcast.chatbot_metrics IS 'What rowcast.measure() has found: one row for each chatbot and run.';
COMMENT ON COLUMN rowcast.chatbot_metrics.measured_at IS 'The end of the window, at which the figures were taken.';
COMMENT ON COLUMN rowcast.chatbot_metrics.active_conversations IS 'Sessions with a message in the window.';
COMMENT ON COLUMN rowcast.chatbot_metrics.response_time_ms IS 'From a question to its answer: half of the answers took no longer. Null: no answer.';
COMMENT ON COLUMN rowcast.chatbot_metrics.response_time_p95_ms IS 'The same for 95 of a hundred answers.';
COMMENT ON COLUMN rowcast.chatbot_metrics.success_rate IS 'The share of the chatbot''s messages that did not fail: 0 to 1. Null: there were none.';
COMMENT ON COLUMN rowcast.chatbot_metrics.unpriced_tokens IS 'Tokens of models that had no price in rowcast.model_prices; their cost is counted as 0.';
COMMENT ON COLUMN rowcast.chatbot_metrics.unpriced_models IS 'Which models these are, the first ten.';
COMMENT ON COLUMN rowcast.chatbot_metrics.satisfaction IS 'The mean over the sessions of each one''s mean. Null: nobody said.';
COMMENT ON COLUMN rowcast.chatbot_metrics.trends IS 'Each figure now, in the window before, and by which share it has changed.';
COMMENT ON TABLE rowcast.daily_costs IS 'Tokens and cost of each chatbot''s day. Today''s is counted at every run of rowcast.measure(), yesterday''s once an hour.';
COMMENT ON COLUMN rowcast.daily_costs.day IS 'In the time zone of the setting cost_time_zone.';

-- Now rowcast.check_view_readable().
DROP FUNCTION IF EXISTS rowcast.check_grants_readable();
