-- The highest id in the outbox, which the sequence should have given out. Ids in the upper half of all that there are were made up by somebody: a thousand writers that draw
-- a thousand a second each would not get there in a hundred thousand years. Nobody reads them, and the sequence must not follow them.
CREATE OR REPLACE FUNCTION rowcast.highest_id() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(max(o.id), 0) FROM rowcast.outbox o WHERE o.id < 4611686018427387904;
END;
