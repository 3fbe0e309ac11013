-- Has somebody switched off one of our triggers, or left it firing for replicated rows only?
SELECT 'problem' AS level,
       format('%s: its trigger %I %s', rowcast.source_name(t.relation), t.trigger_name,
              CASE t.enabled WHEN 'D' THEN 'is disabled' ELSE 'fires for replicated rows only' END) AS what,
       format('ALTER TABLE %s ENABLE TRIGGER %I;', t.relation::regclass, t.trigger_name) AS fix
FROM rowcast.attachment_triggers AS t
WHERE t.enabled IN ('D', 'R')
ORDER BY t.relation, t.trigger_name
