-- Tickets: the only ways to make and to use one. The server has no right on the table itself.

-- How soon a ticket has to be used: the page that asked for it opens its stream at once.
CREATE OR REPLACE FUNCTION rowcast.first_use_of_ticket() RETURNS interval
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN interval '30 seconds';

-- Stores the hash of a new ticket. Returns by when it has to be used for the first time.
CREATE OR REPLACE FUNCTION rowcast.issue_ticket(hash bytea, user_id text, expires_at timestamptz) RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO rowcast.tickets AS t (hash, user_id, expires_at)
    VALUES (issue_ticket.hash, issue_ticket.user_id, issue_ticket.expires_at)
    RETURNING least(t.issued_at + rowcast.first_use_of_ticket(), t.expires_at);
END;

-- Whom the ticket is for, if it may be used: for the first time, or again by a client that comes back. By the clock of the database, which all
-- servers have in common.
CREATE OR REPLACE FUNCTION rowcast.redeem_ticket(hash bytea, comes_back boolean) RETURNS TABLE (user_id text, expires_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- A transaction that stays open after rowcast.disconnect() holds the tickets of its user; it must not hold a connection of the server too.
SET lock_timeout = '2s' AS $$
#variable_conflict use_column
BEGIN
    -- Coming back writes nothing: after a restart of the server everybody does.
    IF redeem_ticket.comes_back THEN
        RETURN QUERY SELECT t.user_id, t.expires_at FROM rowcast.tickets t
            WHERE t.hash = redeem_ticket.hash AND t.used_at IS NOT NULL AND t.expires_at > clock_timestamp();
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    -- Of two at once the second waits here for the first, looks at the row again, and finds it used.
    RETURN QUERY UPDATE rowcast.tickets t SET used_at = clock_timestamp()
        WHERE t.hash = redeem_ticket.hash AND t.used_at IS NULL
          AND t.issued_at > clock_timestamp() - rowcast.first_use_of_ticket() AND t.expires_at > clock_timestamp()
        RETURNING t.user_id, t.expires_at;
END
$$;

-- Deletes those that cannot be used any more. Returns how many. One that somebody holds is left for the next time.
CREATE OR REPLACE FUNCTION rowcast.prune_tickets() RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH gone AS (
        DELETE FROM rowcast.tickets WHERE hash IN (
            SELECT t.hash FROM rowcast.tickets t
            WHERE t.expires_at < clock_timestamp()
               OR t.used_at IS NULL AND t.issued_at < clock_timestamp() - rowcast.first_use_of_ticket()
            FOR UPDATE SKIP LOCKED)
        RETURNING 1)
    SELECT count(*) FROM gone;
END;
