-- How the parts of the platform are: one row for each time in which a figure was in one state. Written by the server that measures it
-- (`src/integrations/health`): a change is a new row, and the row of the state that lasts is kept up to date.
CREATE TABLE rowcast.health_checks (
    id             bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    component      text             NOT NULL CHECK (component IN ('database', 'vector_search', 'llm_api', 'document_processing', 'general')),
    metric         text             NOT NULL,
    status         text             NOT NULL CHECK (status IN ('healthy', 'degraded', 'down')),
    value          double precision NOT NULL,
    unit           text,
    threshold      double precision,
    message        text             NOT NULL,
    recommendation text,
    since          timestamptz      NOT NULL,
    checked_at     timestamptz      NOT NULL,
    restated       boolean          NOT NULL DEFAULT false,
    CHECK (since <= checked_at)
);
-- Which is the latest of a figure.
CREATE INDEX health_checks_figure ON rowcast.health_checks (component, metric, id);

COMMENT ON TABLE rowcast.health_checks IS 'How the parts of the platform were, and are: one row for each time in which a figure was in one state. The latest of each is in rowcast.health.';
COMMENT ON COLUMN rowcast.health_checks.metric IS 'What was measured, with its unit: query_ms.';
COMMENT ON COLUMN rowcast.health_checks.value IS 'What was measured last in this state. Where nothing could be measured: how long that took to find out.';
COMMENT ON COLUMN rowcast.health_checks.threshold IS 'From where on it is no longer healthy.';
COMMENT ON COLUMN rowcast.health_checks.since IS 'The first measurement that said so.';
COMMENT ON COLUMN rowcast.health_checks.checked_at IS 'The last one that was written down; the state is restated about once a minute.';
COMMENT ON COLUMN rowcast.health_checks.restated IS 'Whether this state has been written down before: no news.';
