-- The attached tables.
SELECT source, event_type, coalesce(organization_id, '(platform-wide)') AS organization, group_by, enabled, owner::text
FROM rowcast.attachments
ORDER BY source, event_type
