-- Who comes, goes, and changes what their streams carry, where ROWCAST_ACTIVITY asks for it. Rows here are events (sql/functions/96_attach_producers.sql);
-- sql/functions/68_tell_activity.sql writes them.

-- What concerns an organization: its own streams, and nothing that anybody does in another one. Without an organization: the streams of platform staff, which are of none.
CREATE TABLE rowcast.activity (
    id              text        PRIMARY KEY,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    organization_id text,
    user_id         text,
    action          text        NOT NULL CHECK (action IN ('connected', 'subscribed', 'unsubscribed', 'disconnected')),
    session_id      text,
    metadata        jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX activity_created_at ON rowcast.activity (created_at);

-- Whose coming has been told and whose going has not: whoever takes a row away tells of the going in the same statement, so that it is told once. Not UNLOGGED like
-- rowcast.connections: after a crash of the database it still has to be told that those are gone who do not come back.
CREATE TABLE rowcast.attendance (
    id              text        PRIMARY KEY,
    server          text        NOT NULL,
    session_id      text        NOT NULL,
    user_id         text        NOT NULL,
    organization_id text,
    connected_at    timestamptz NOT NULL,
    transport       text        NOT NULL,
    missing_since   timestamptz,
    left_at         timestamptz,
    reason          text
);
CREATE INDEX attendance_left_at ON rowcast.attendance (left_at) WHERE left_at IS NOT NULL;

COMMENT ON TABLE rowcast.activity IS 'What users did with their streams, by organization: user_activity events. Kept for 30 days.';
COMMENT ON COLUMN rowcast.activity.organization_id IS 'Who is told; null: platform staff, of streams that cover every organization.';
COMMENT ON COLUMN rowcast.activity.user_id IS 'Who did it; null: several, told as a sum.';
COMMENT ON COLUMN rowcast.activity.session_id IS 'The connectionId of the stream; null: of several.';
COMMENT ON TABLE rowcast.attendance IS 'The streams that are known to be connected: their row connected has been written, and disconnected has not.';
COMMENT ON COLUMN rowcast.attendance.id IS 'The row of rowcast.activity that told of it.';
COMMENT ON COLUMN rowcast.attendance.missing_since IS 'Since when its server has not been heard of.';
COMMENT ON COLUMN rowcast.attendance.left_at IS 'When it ended; the row waits for its turn to be told.';
