-- Keeps attachments in step with their tables, as far as this role may.
SELECT source, event_type, outcome FROM rowcast.refresh_attachments()
