-- History ends somewhere: what maintenance remembers, and its settings.

CREATE TABLE rowcast.maintenance (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    expired_through bigint  NOT NULL DEFAULT 0,
    indexed_through bigint  NOT NULL DEFAULT 0,
    maintained_at   timestamptz
);
INSERT INTO rowcast.maintenance DEFAULT VALUES;

COMMENT ON TABLE rowcast.maintenance IS 'What rowcast.maintain() has done so far.';
COMMENT ON COLUMN rowcast.maintenance.expired_through IS
    'Every outbox id up to here has been deleted for its age. A client that lacks one of them is told that its history has expired.';
COMMENT ON COLUMN rowcast.maintenance.indexed_through IS
    'Every partition up to this id, but for those that have been dropped, has an index on (organization_id, id).';
COMMENT ON COLUMN rowcast.maintenance.maintained_at IS 'When rowcast.maintain() ran last.';

-- What a run of maintenance did, or put off.
CREATE TYPE rowcast.maintenance_step AS (action text, partition text, detail text);

INSERT INTO rowcast.settings (name, value, description) VALUES
    ('retention', '7 days', 'how long events are kept: an interval, or none for ever'),
    ('partition_size', '1000000', 'how many ids go into a new partition of the outbox');
