-- The outbox: one row for every event, written by triggers in the transaction of the app's own write.
-- Its id is the replay id. Ids are drawn by rowcast.mark_writer()'s callers only (see sql/functions), never by a
-- column default: a default would let a stray INSERT draw an id before its transaction is marked as a writer,
-- and the tailer would then take the gap for a rolled-back one.
CREATE SEQUENCE rowcast.outbox_id_seq AS bigint CACHE 1;

-- No CHECK constraints, on purpose: Postgres reads the expression of each anew for every statement that inserts, which was a
-- fifth of the cost of capturing a row. rowcast.emit() checks its arguments; generated functions write constants.
CREATE TABLE rowcast.outbox (
    id              bigint      NOT NULL,
    txid            xid8        NOT NULL DEFAULT pg_current_xact_id(),
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    event_type      text        NOT NULL,
    audience        text        NOT NULL,
    organization_id text,
    user_id         text,
    chatbot_id      text,
    session_id      text,
    source          text,
    source_key      text,
    operation       text        NOT NULL,
    priority        text        NOT NULL DEFAULT 'medium',
    data            jsonb       NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

ALTER SEQUENCE rowcast.outbox_id_seq OWNED BY rowcast.outbox.id;

-- Partitions are named by their first id. The DEFAULT one is a net: no write may fail for want of a partition.
CREATE TABLE rowcast.outbox_1 PARTITION OF rowcast.outbox FOR VALUES FROM (1) TO (1000001);
CREATE TABLE rowcast.outbox_default PARTITION OF rowcast.outbox DEFAULT;

COMMENT ON TABLE rowcast.outbox IS
    'Every event, in the order of its id. Written by the triggers of rowcast.attach() and by rowcast.emit(), read by rowcast serve.';
COMMENT ON COLUMN rowcast.outbox.id IS 'The replay id: what a client sends back as Last-Event-ID.';
COMMENT ON COLUMN rowcast.outbox.txid IS 'The transaction that wrote the row. Means nothing after a restore into another cluster.';
COMMENT ON COLUMN rowcast.outbox.created_at IS 'Clock time of the write (not of its transaction''s start).';
COMMENT ON COLUMN rowcast.outbox.audience IS
    'organization: members of organization_id; platform: everybody; user: user_id alone (and admins); nobody: the organization could not be found.';
COMMENT ON COLUMN rowcast.outbox.operation IS
    'INSERT, UPDATE, DELETE, TRUNCATE, or EMIT for what rowcast.emit() wrote.';
COMMENT ON COLUMN rowcast.outbox.priority IS 'low, medium, high or critical';
COMMENT ON COLUMN rowcast.outbox.source IS 'schema.table of the row, null when rowcast.emit() wrote it.';
COMMENT ON COLUMN rowcast.outbox.source_key IS 'The row''s primary key as text, a JSON array when it is composite.';

-- Every id up to here is decided: seen by a tailer, or rolled back for good. Servers start to read here.
CREATE TABLE rowcast.settled (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id       bigint  NOT NULL
);
INSERT INTO rowcast.settled (id) VALUES (0);

-- A database timeline that ended, and the highest outbox id that had been drawn when it did: after a failover
-- that lost the tail of the log the sequence hands out ids again that clients have already seen.
CREATE TABLE rowcast.epochs (
    epoch      integer     PRIMARY KEY,
    timeline   bigint      NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_id    bigint
);

-- What the DBA may change. A setting that is absent has its default (see docs/capture.md).
CREATE TABLE rowcast.settings (
    name        text PRIMARY KEY,
    value       text NOT NULL,
    description text
);
INSERT INTO rowcast.settings (name, value, description) VALUES
    ('max_payload_bytes', '65536', 'a row larger than this becomes {"truncated": true} and its key'),
    ('doorbell', 'auto', 'auto: NOTIFY wakes servers unless two-phase commit is enabled; off: servers poll'),
    ('capture_replicated', 'off', 'on: rows that replication or a restore writes (session_replication_role = replica) make events too');

-- Columns that look like this never leave in a whole-row payload: patterns for the column's name in snake case, any case.
CREATE TABLE rowcast.secret_patterns (
    pattern     text PRIMARY KEY,
    description text
);
INSERT INTO rowcast.secret_patterns (pattern, description) VALUES
    ('(^|_)(password|passwd|pwd|passphrase|passcode)(_|$)', 'passwords and their hashes'),
    ('(^|_)secrets?(_|$)',                                  'client secrets, TOTP secrets'),
    ('(^|_)(tokens?|token_(hash|digest))$',                 'access and reset tokens; not token_count and the like'),
    ('(^|_)(api|private|signing|encryption|access)_?keys?(_|$)', 'keys'),
    ('(^|_)(credentials?|salt|otp|totp|recovery_codes?)(_|$)', 'what logs somebody in'),
    ('(^|_)(cvv|cvc|card_number|ssn|iban)(_|$)',            'what pays or identifies');

-- An attachment with on_error => 'skip' leaves here what it could not turn into an event.
CREATE TABLE rowcast.capture_errors (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    source     text        NOT NULL,
    event_type text        NOT NULL,
    operation  text        NOT NULL,
    sqlstate   text        NOT NULL,
    message    text        NOT NULL
);

COMMENT ON TABLE rowcast.settled IS 'A bookmark: every outbox id up to it is decided, so servers start to read there.';
COMMENT ON TABLE rowcast.epochs IS 'The database''s timelines, and the last outbox id of each that ended.';
COMMENT ON TABLE rowcast.settings IS 'What the DBA may change about capture; takes effect at the next statement.';
COMMENT ON TABLE rowcast.capture_errors IS 'What attachments with on_error => ''skip'' could not turn into an event.';
COMMENT ON COLUMN rowcast.outbox.event_type IS 'One of rowcast.event_types.';
COMMENT ON COLUMN rowcast.outbox.user_id IS 'The user concerned; where the audience is user, the one who may see it.';
COMMENT ON COLUMN rowcast.outbox.data IS 'What clients get, before fields are hidden from them (rowcast.redactions).';
