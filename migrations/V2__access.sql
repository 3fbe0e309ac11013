-- Who may see what, as rows that the DBA owns.

CREATE TABLE rowcast.event_types (
    name                text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    required_permission text,
    description         text NOT NULL DEFAULT ''
);
COMMENT ON COLUMN rowcast.event_types.required_permission IS 'null: any member of the organization may see it';

INSERT INTO rowcast.event_types (name, required_permission, description) VALUES
    ('document_processing',   NULL,              'File uploads, OCR, chunking, embedding'),
    ('conversation_activity', NULL,              'Messages, responses, conversation flow'),
    ('system_health',         'monitor',         'Database, vector search, LLM API health'),
    ('error_notification',    'monitor',         'Application errors and failures'),
    ('chatbot_metrics',       'chatbot_manager', 'Performance metrics and cost tracking'),
    ('connection_status',     NULL,              'Made by the server for each stream, never stored'),
    ('user_activity',         'monitor',         'User actions and sessions'),
    ('performance_alert',     'chatbot_manager', 'Performance degradation alerts');

CREATE TABLE rowcast.memberships (
    user_id         text NOT NULL,
    organization_id text,
    role            text NOT NULL
);
CREATE UNIQUE INDEX memberships_in_organization ON rowcast.memberships (user_id, organization_id, role)
    WHERE organization_id IS NOT NULL;
CREATE UNIQUE INDEX memberships_everywhere ON rowcast.memberships (user_id, role) WHERE organization_id IS NULL;
COMMENT ON COLUMN rowcast.memberships.organization_id IS 'null: in every organization (platform staff)';

CREATE TABLE rowcast.role_permissions (
    role       text NOT NULL,
    permission text NOT NULL,
    PRIMARY KEY (role, permission)
);
INSERT INTO rowcast.role_permissions (role, permission) VALUES
    ('admin', 'admin'), ('admin', 'monitor'), ('admin', 'chatbot_manager');

-- What the two tables above grant. A row without a permission says "is a member"; every row with one says so too.
CREATE VIEW rowcast.membership_grants WITH (security_barrier) AS
SELECT m.user_id, m.organization_id, p.permission
FROM rowcast.memberships m
LEFT JOIN rowcast.role_permissions p ON p.role = m.role;

-- The one view that the server reads. rowcast.use_grants() puts the adopter's own query in the place of this one.
CREATE VIEW rowcast.grants WITH (security_barrier) AS
SELECT user_id, organization_id, permission FROM rowcast.membership_grants;

-- What is taken out of an event's data for a viewer who lacks a permission in the event's organization.
CREATE TABLE rowcast.redactions (
    event_type        text   NOT NULL,
    path              text[] NOT NULL CHECK (cardinality(path) > 0),
    unless_permission text   NOT NULL,
    replacement       jsonb,
    PRIMARY KEY (event_type, path)
);
COMMENT ON COLUMN rowcast.redactions.replacement IS 'null: the field is removed';

INSERT INTO rowcast.redactions (event_type, path, unless_permission, replacement) VALUES
    ('conversation_activity', '{content}',       'admin', '"[FILTERED]"'),
    ('conversation_activity', '{error}',         'admin', '"[FILTERED]"'),
    ('error_notification',    '{stackTrace}',    'admin', NULL),
    ('error_notification',    '{sentryIssueId}', 'admin', NULL);

-- A change of access is a row too: the tailer reads it in the same snapshot as the events, and applies it first.
-- It says "read this user's access again", never what changed.
CREATE TABLE rowcast.access_changes (
    txid       xid8        NOT NULL DEFAULT pg_current_xact_id(),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    user_id    text,
    reason     text        NOT NULL
);
CREATE INDEX access_changes_txid ON rowcast.access_changes (txid);
COMMENT ON COLUMN rowcast.access_changes.user_id IS 'null: anybody''s access may have changed';

COMMENT ON TABLE rowcast.event_types IS 'The kinds of events, and which permission each requires. Add your own.';
COMMENT ON TABLE rowcast.memberships IS 'Who is in which organization, in what role; unless rowcast.use_grants() has put your own tables in their place.';
COMMENT ON TABLE rowcast.role_permissions IS 'What the roles of memberships may do.';
COMMENT ON VIEW rowcast.grants IS 'Who may see what: the one view that the server reads.';
COMMENT ON TABLE rowcast.redactions IS 'Fields of an event''s data that are hidden from those who lack a permission.';
COMMENT ON TABLE rowcast.access_changes IS 'Whose access may have changed: servers read it with the events, and apply it first.';
