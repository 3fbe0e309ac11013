-- Who is connected where, so that limits hold on all servers together, statistics cover them all, and any server can reach any stream.
--
-- Written by servers only. UNLOGGED: a database that crashes or fails over forgets it, and servers enter anew what they have; nothing
-- is lost by it, and connecting writes no WAL. What a dead server has left counts no more once the server has not been seen for a while.
CREATE UNLOGGED TABLE rowcast.servers (
    id         text        PRIMARY KEY,
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    figures    jsonb       NOT NULL DEFAULT '{}'
);

CREATE UNLOGGED TABLE rowcast.connections (
    id            text        PRIMARY KEY,
    server        text        NOT NULL,
    user_id       text        NOT NULL,
    connected_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    organizations text[],
    event_types   text[]      NOT NULL,
    active        boolean     NOT NULL DEFAULT true
);
CREATE INDEX connections_user ON rowcast.connections (user_id);
CREATE INDEX connections_server ON rowcast.connections (server);

-- One leaky bucket for each user and kind of request: the moment at which it will be empty.
CREATE UNLOGGED TABLE rowcast.rates (
    user_id  text        NOT NULL,
    kind     text        NOT NULL,
    empty_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, kind)
);

COMMENT ON TABLE rowcast.servers IS 'The servers that run: one row for each process of rowcast serve.';
COMMENT ON COLUMN rowcast.servers.seen_at IS 'When it last said that it is there. Its connections count for 15 s after that.';
COMMENT ON COLUMN rowcast.servers.figures IS 'What it has counted, for GET /api/v1/realtime/stats.';
COMMENT ON TABLE rowcast.connections IS 'The streams that are open on all servers.';
COMMENT ON COLUMN rowcast.connections.id IS 'The connectionId that the client was told.';
COMMENT ON COLUMN rowcast.connections.organizations IS 'Whose events are sent on it; null: those of all organizations (platform staff).';
COMMENT ON COLUMN rowcast.connections.event_types IS 'Which types are sent on it.';
COMMENT ON COLUMN rowcast.connections.active IS 'Whether the client takes what is sent.';
COMMENT ON TABLE rowcast.rates IS 'How often users have connected and asked for things lately.';
