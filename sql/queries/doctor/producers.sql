-- Is each table of our own producers attached? A migration leaves that out where its role may not attach.
SELECT 'warning' AS level,
       format('not attached: rowcast.%s', string_agg(p.name, ', rowcast.' ORDER BY p.position)) AS what,
       concat_ws(' ',
           CASE WHEN NOT pg_has_role(c.relowner, 'rowcast_writer', 'USAGE') THEN format('GRANT rowcast_writer TO %I;', pg_get_userbyid(c.relowner)) END,
           format('SELECT rowcast.attach_producers(); -- as %I', pg_get_userbyid(c.relowner))) AS fix
FROM unnest(rowcast.producer_tables()) WITH ORDINALITY AS p (name, position)
JOIN pg_class AS c ON c.oid = to_regclass('rowcast.' || p.name)
WHERE NOT EXISTS (SELECT FROM rowcast.attachment_triggers AS t WHERE t.root = c.oid)
GROUP BY c.relowner
