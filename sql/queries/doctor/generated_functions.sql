-- Are the functions that attach() generated all there, do they belong to the owner of their table, and are they as this rowcast would make them?
WITH attached AS (
    SELECT DISTINCT t.attachment, t.root, c.relowner AS owner
    FROM rowcast.attachment_triggers AS t JOIN pg_class AS c ON c.oid = t.root
), generated AS (
    SELECT a.attachment, a.root, a.owner, p.oid AS function, p.proowner, p.proname
    FROM attached AS a
    JOIN pg_proc AS p ON p.pronamespace = to_regnamespace(split_part(a.attachment, '.', 1)) AND starts_with(p.proname, split_part(a.attachment, '.', 2))
)
SELECT 'problem' AS level,
       format('%s belongs to %s, but its table %s to %s: it runs with the wrong rights', g.function::regprocedure, g.proowner::regrole, g.root::regclass, g.owner::regrole) AS what,
       format('SELECT rowcast.detach(%L); -- then attach it again as %s; `rowcast tables` shows how it was', g.root::regclass, g.owner::regrole) AS fix
FROM generated AS g
WHERE g.proowner <> g.owner
UNION ALL
SELECT 'problem',
       format('%s_events, which the trigger of %s calls, is missing: writes to it fail', a.attachment, a.root::regclass),
       format('SELECT rowcast.detach(%L); -- then attach it again; `rowcast tables` shows how it was', a.root::regclass)
FROM attached AS a
WHERE NOT EXISTS (SELECT FROM generated AS g WHERE g.attachment = a.attachment AND g.proname = split_part(a.attachment, '.', 2) || '_events')
UNION ALL
-- attach() made the trigger, but what it calls has lost the way to its table.
SELECT 'problem',
       format('%s has a trigger of rowcast whose table cannot be found any more', t.relation::regclass),
       format('DROP TRIGGER %I ON %s; -- then attach it again', t.trigger_name, t.relation::regclass)
FROM rowcast.attachment_triggers AS t
WHERE t.root IS NULL
UNION ALL
SELECT 'warning',
       format('%s is captured as an older rowcast did it', s.source),
       format('SELECT * FROM rowcast.refresh_attachments(); -- as %I', s.owner)
FROM rowcast.stale_attachments() AS s
