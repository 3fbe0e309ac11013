-- Which attached tables are captured as an older rowcast did it. What attach() generates belongs to the owners of the tables, so a migration leaves alone what belongs to
-- owners for whom its role may not act. For the doctor, whoever asks it: SECURITY DEFINER.
CREATE OR REPLACE FUNCTION rowcast.stale_attachments() RETURNS TABLE (source text, owner text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rowcast.source_name(a.root), pg_get_userbyid(c.relowner)::text
    FROM (SELECT DISTINCT t.root, t.attachment, t.facts FROM rowcast.attachment_triggers AS t) AS a
    JOIN pg_class AS c ON c.oid = a.root
    WHERE EXISTS (SELECT FROM rowcast.refresh_statements(a.root, a.attachment, a.facts) AS s (statement)
                  WHERE starts_with(s.statement, 'CREATE OR REPLACE FUNCTION'));
END;
