-- What the producers write becomes events: one call for each of their tables (40_producer_tables.sql).
CREATE OR REPLACE FUNCTION rowcast.attach_producers() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN;
END
$$;
REVOKE ALL ON FUNCTION rowcast.attach_producers() FROM PUBLIC;

SELECT rowcast.attach_producers();
