-- May the owners of attached tables, our own among them, write the outbox? If not, every write to those tables fails.
SELECT DISTINCT 'problem' AS level,
       format('%s belongs to %I, who is not in rowcast_writer: every write to it fails', rowcast.source_name(c.oid), pg_get_userbyid(c.relowner)) AS what,
       format('GRANT rowcast_writer TO %I;', pg_get_userbyid(c.relowner)) AS fix
FROM rowcast.attachment_triggers AS t
JOIN pg_class AS c ON c.oid = t.root
WHERE NOT pg_has_role(c.relowner, 'rowcast_writer', 'USAGE')
