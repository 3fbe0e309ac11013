-- Lives of the database, and messages to all servers.

-- A failover that lost the end of the log, and a restore, begin a new life of the database: it hands out ids again that clients know as other events. What
-- tells lives apart is the cluster, the database in it and its timeline, which every promotion raises. The highest epoch is the life that
-- servers have found last; what the one before left behind is stored with its successor, so that one INSERT says it all and one server alone can.
ALTER TABLE rowcast.epochs
    DROP COLUMN last_id,
    ADD COLUMN system_identifier bigint NOT NULL,
    ADD COLUMN database          oid    NOT NULL,
    ADD COLUMN inherited         text   NOT NULL DEFAULT '0';

COMMENT ON TABLE rowcast.epochs IS 'The lives of this database, as servers found them. A new one begins with a failover or a restore.';
COMMENT ON COLUMN rowcast.epochs.epoch IS 'What stands after the @ in cursors; 0, which is left out, for the first life.';
COMMENT ON COLUMN rowcast.epochs.timeline IS 'As in the names of WAL files.';
COMMENT ON COLUMN rowcast.epochs.started_at IS 'When a server found it.';
COMMENT ON COLUMN rowcast.epochs.inherited IS
    'A cursor: the events of earlier lives that are still here. A client that has seen others has seen what was lost.';

-- What a DBA, or one server, tells all servers. Written by functions only (sql/functions), which ring for it as for an event; servers
-- read it in the snapshot of the events.
CREATE TABLE rowcast.commands (
    txid       xid8        NOT NULL DEFAULT pg_current_xact_id(),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    command    text        NOT NULL,
    arguments  jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX commands_txid ON rowcast.commands (txid);
COMMENT ON TABLE rowcast.commands IS 'What all servers are told to do: see rowcast.disconnect() and rowcast.erase().';
