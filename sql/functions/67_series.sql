-- Whose figures can be kept: by organization and chatbot, which together have to fit into the entry of an index. What is longer is nobody's name, and would be an error that
-- keeps everybody else's figures waiting for ever.
CREATE OR REPLACE FUNCTION rowcast.is_series(organization_id text, chatbot_id text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN octet_length(organization_id) + octet_length(chatbot_id) <= 2000;
