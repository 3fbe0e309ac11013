-- Is there anybody who may see anything, and does each type in use have somebody who may see it?
SELECT 'warning' AS level,
       'rowcast.grants is empty: nobody may see anything' AS what,
       'INSERT INTO rowcast.memberships (user_id, organization_id, role) VALUES (''<sub of the token>'', ''<organization>'', ''member''); -- or rowcast.use_grants(), see docs/access.md' AS fix
WHERE NOT EXISTS (SELECT FROM rowcast.grants)
UNION ALL
SELECT 'warning',
       format('%s needs the permission %s, which nobody holds', t.name, t.required_permission),
       format('INSERT INTO rowcast.role_permissions (role, permission) VALUES (''<role>'', %L); -- or UPDATE rowcast.event_types SET required_permission = NULL WHERE name = %L;', t.required_permission, t.name)
FROM rowcast.event_types AS t
WHERE t.required_permission IS NOT NULL
  AND EXISTS (SELECT FROM rowcast.attachments AS a WHERE a.event_type = t.name)
  AND EXISTS (SELECT FROM rowcast.grants)
  AND NOT EXISTS (SELECT FROM rowcast.grants AS g WHERE g.permission = t.required_permission)
