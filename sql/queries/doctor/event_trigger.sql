-- Do new partitions of attached tables get their triggers by themselves? Only a superuser can have set that up.
SELECT 'warning' AS level,
       format('%s has partitions or children, and new ones will not get triggers by themselves', string_agg(DISTINCT rowcast.source_name(t.root), ', ')) AS what,
       'rowcast migrate  # once, as a superuser; or SELECT * FROM rowcast.refresh_attachments(); after each new partition, from cron' AS fix
FROM rowcast.attachment_triggers AS t
WHERE EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = t.root)
  AND NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'rowcast_follow_tables' AND evtenabled <> 'D')
HAVING count(*) > 0
