-- May this user do this kind of thing once more, where so many a minute are allowed? Returns for how many seconds not; 0: it is done, and counts.
--
-- A leaky bucket (the generic cell rate algorithm of ATM): each turn fills it by one part in per_minute, and it runs empty within a minute. What is kept
-- is the moment at which it will be empty. One row a user, so those who ask at once on several servers take turns.
CREATE OR REPLACE FUNCTION rowcast.take_turn(user_id text, kind text, per_minute integer) RETURNS double precision
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    capacity CONSTANT interval    := interval '1 minute';
    turn     CONSTANT interval    := capacity / per_minute;
    now      CONSTANT timestamptz := clock_timestamp();
    empty_at timestamptz;
BEGIN
    INSERT INTO rowcast.rates AS r (user_id, kind, empty_at) VALUES (user_id, kind, now + turn)
    ON CONFLICT ON CONSTRAINT rates_pkey
        DO UPDATE SET empty_at = greatest(r.empty_at, now) + turn WHERE greatest(r.empty_at, now) + turn <= now + capacity
    RETURNING r.empty_at INTO empty_at;
    IF FOUND THEN
        RETURN 0;
    END IF;
    SELECT r.empty_at INTO empty_at FROM rowcast.rates r WHERE r.user_id = user_id AND r.kind = kind;
    RETURN greatest(extract(epoch FROM empty_at + turn - capacity - now), 0.001);
END
$$;
