-- Has each attached table, with all its partitions and children, a trigger for each operation it is attached for?
WITH RECURSIVE attached AS (
    SELECT DISTINCT root, attachment, facts FROM rowcast.attachment_triggers WHERE root IS NOT NULL
), covered (attachment, facts, root, relation) AS (
    SELECT attachment, facts, root, root FROM attached
    UNION
    SELECT c.attachment, c.facts, c.root, i.inhrelid FROM covered AS c JOIN pg_inherits AS i ON i.inhparent = c.relation
), missing AS (
    SELECT c.attachment, c.root, c.relation, array_agg(o.operation ORDER BY o.operation) AS operations
    FROM covered AS c
    CROSS JOIN LATERAL (
        SELECT jsonb_array_elements_text(c.facts->'operations') UNION SELECT 'TRUNCATE' WHERE c.facts->'operations' ? 'DELETE'
    ) AS o (operation)
    WHERE NOT EXISTS (
        SELECT FROM rowcast.attachment_triggers AS t JOIN pg_trigger AS g ON g.oid = t.trigger
        WHERE t.relation = c.relation AND t.facts->>'event_type' = c.facts->>'event_type'
          AND g.tgtype::integer & CASE o.operation WHEN 'INSERT' THEN 4 WHEN 'DELETE' THEN 8 WHEN 'UPDATE' THEN 16 ELSE 32 END <> 0
    )
    GROUP BY c.attachment, c.root, c.relation
)
SELECT 'problem' AS level,
       format('%s has no trigger for %s: such writes make no event', rowcast.source_name(m.relation), array_to_string(m.operations, ', ')) AS what,
       concat_ws(' ',
           -- refresh_attachments() looks after tables that have none of their triggers.
           (SELECT string_agg(format('DROP TRIGGER %I ON %s;', t.trigger_name, t.relation::regclass), ' ' ORDER BY t.trigger_name)
            FROM rowcast.attachment_triggers AS t WHERE t.attachment = m.attachment AND t.relation = m.relation AND m.relation <> m.root),
           CASE WHEN m.relation = m.root
                THEN format('SELECT rowcast.detach(%L); -- then attach it again; `rowcast tables` shows how it was', m.root::regclass)
                ELSE format('SELECT * FROM rowcast.refresh_attachments(); -- as %I', (SELECT relowner::regrole FROM pg_class WHERE oid = m.root)) END) AS fix
FROM missing AS m
ORDER BY m.relation
