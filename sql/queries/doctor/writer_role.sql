-- May the owners of attached tables write the outbox? If not, every write to those tables fails.
SELECT DISTINCT 'problem' AS level,
       format('%s belongs to %I, who is not in rowcast_writer: every write to it fails', a.source, a.owner) AS what,
       format('GRANT rowcast_writer TO %I;', a.owner) AS fix
FROM rowcast.attachments AS a
WHERE NOT pg_has_role(a.owner, 'rowcast_writer', 'USAGE')
