-- Work that one server does at a time: measuring health, aggregating figures. Whoever has not been heard of for 15 s has no duty any more.
--
-- UNLOGGED like rowcast.servers: a database that crashes forgets it, and whoever comes first has it then.
CREATE UNLOGGED TABLE rowcast.duties (
    name     text        PRIMARY KEY,
    server   text        NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE rowcast.duties IS 'Which server does what only one is to do at a time.';
COMMENT ON COLUMN rowcast.duties.server IS 'The one in rowcast.servers that has it, for as long as that one is alive.';
COMMENT ON COLUMN rowcast.duties.taken_at IS 'Since when it has it.';
COMMENT ON COLUMN rowcast.duties.done_at IS 'When it did it last.';
