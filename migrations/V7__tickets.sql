-- What stands for a token in the URL of a browser's own EventSource, which cannot send headers.
--
-- Only hashes: who reads this table, or a dump of it, can use none of them. An ordinary table, unlike those of who is connected: a failover
-- must not log everybody out whose stream comes back by itself.
CREATE TABLE rowcast.tickets (
    hash       bytea       PRIMARY KEY CHECK (length(hash) = 32),
    user_id    text        NOT NULL,
    expires_at timestamptz NOT NULL,
    issued_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    used_at    timestamptz
);
CREATE INDEX tickets_user ON rowcast.tickets (user_id);

COMMENT ON TABLE rowcast.tickets IS 'Tickets of POST /api/v1/realtime/ticket. Deleting those of a user keeps their streams from coming back with them.';
COMMENT ON COLUMN rowcast.tickets.hash IS 'SHA-256 of the ticket.';
COMMENT ON COLUMN rowcast.tickets.expires_at IS 'The end of the token that it was issued for.';
COMMENT ON COLUMN rowcast.tickets.used_at IS 'When it was used for the first time; since then it is good only together with a Last-Event-ID.';
