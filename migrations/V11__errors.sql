-- What went wrong in the app, as Sentry tells it: one row for an issue in each organization that it concerns, and at most one for none, kept as new as what was told
-- last. An app without Sentry may write its own rows here.
CREATE TABLE rowcast.errors (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id text,
    chatbot_id      text,
    component       text,
    logger          text,
    project         text,
    severity        text        NOT NULL DEFAULT 'high' CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    message         text        NOT NULL,
    stack_trace     text,
    status          text        NOT NULL DEFAULT 'unresolved' CHECK (status IN ('unresolved', 'resolved', 'archived')),
    resolution      text,
    occurrences     bigint      NOT NULL DEFAULT 1,
    users           bigint      NOT NULL DEFAULT 0,
    first_seen      timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen       timestamptz NOT NULL DEFAULT clock_timestamp(),
    sentry_issue_id text,
    sentry_short_id text,
    told_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX errors_issue ON rowcast.errors (sentry_issue_id, coalesce(organization_id, ''));
CREATE INDEX errors_updated ON rowcast.errors (updated_at);

COMMENT ON TABLE rowcast.errors IS 'Errors of the app, mostly told by Sentry. Each row, and each change of one, is an error_notification.';
COMMENT ON COLUMN rowcast.errors.organization_id IS 'Whose members may see it; null: platform staff alone.';
COMMENT ON COLUMN rowcast.errors.component IS 'The tag component of the event; where there is none, an event names the logger or else the project.';
COMMENT ON COLUMN rowcast.errors.users IS 'How many users it has happened to, as far as was told.';
COMMENT ON COLUMN rowcast.errors.sentry_issue_id IS 'The issue''s id in Sentry; sentry_short_id is what people call it, such as WEB-9.';
COMMENT ON COLUMN rowcast.errors.told_at IS 'When the newest of what was told was sent: something older overwrites nothing.';

-- Which webhooks have been taken in. The same one again, whoever sends it, does nothing.
CREATE TABLE rowcast.sentry_deliveries (
    digest          bytea       PRIMARY KEY CHECK (length(digest) = 32),
    sentry_issue_id text        NOT NULL,
    is_dated        boolean     NOT NULL,
    received_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX sentry_deliveries_received ON rowcast.sentry_deliveries (received_at);

COMMENT ON TABLE rowcast.sentry_deliveries IS 'Bodies of Sentry''s webhooks that have been taken in, by their SHA-256.';
COMMENT ON COLUMN rowcast.sentry_deliveries.is_dated IS 'Whether the body says when it was made, and is of no use after a day. The others are remembered for as long as their issue.';
