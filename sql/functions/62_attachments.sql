-- What is attached and how, for people: one row for each table and event type. Not the tables of the producers, which are always attached.
CREATE OR REPLACE VIEW rowcast.attachments AS
SELECT rowcast.source_name(a.root) AS source,
       a.facts->>'event_type' AS event_type,
       a.facts->>'organization_id' AS organization_id,
       a.facts->>'data' AS data,
       ARRAY(SELECT c.attname::text FROM pg_catalog.pg_attribute c WHERE c.attrelid = a.root AND a.facts->'excluded' ? c.attnum::text ORDER BY c.attnum) AS exclude,
       ARRAY(SELECT o FROM pg_catalog.jsonb_array_elements_text(a.facts->'operations') o) AS operations,
       CASE WHEN pg_catalog.jsonb_typeof(a.facts->'changed') = 'object'
            THEN ARRAY(SELECT c.attname::text FROM pg_catalog.pg_attribute c WHERE c.attrelid = a.root AND a.facts->'changed' ? c.attnum::text ORDER BY c.attnum) END AS changed_columns,
       a.facts->>'filter' AS filter,
       a.facts->>'priority' AS priority,
       a.facts->>'user_id' AS user_id,
       a.facts->>'chatbot_id' AS chatbot_id,
       a.facts->>'session_id' AS session_id,
       (a.facts->>'private')::boolean AS private,
       a.facts->>'on_error' AS on_error,
       pg_catalog.bool_and(a.enabled <> 'D') AS enabled,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       a.facts->>'source' AS source_in_events
FROM rowcast.attachment_triggers a
JOIN pg_catalog.pg_class c ON c.oid = a.root
WHERE a.relation = a.root AND c.relnamespace <> 'rowcast'::pg_catalog.regnamespace
GROUP BY a.root, a.facts, c.relowner;
COMMENT ON VIEW rowcast.attachments IS 'Every table attached to an event type: derived from the catalogs, never out of date.';
COMMENT ON COLUMN rowcast.attachments.source_in_events IS 'What events call the table: the name it had when it was attached.';
