-- Tables of rowcast's own whose rows are events: producers write there. All others are refused by attach().
CREATE OR REPLACE FUNCTION rowcast.producer_tables() RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN '{health_checks,errors,chatbot_metrics,alerts,activity}'::text[];
