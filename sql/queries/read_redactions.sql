-- The fields that are hidden, in an order that two reads agree on: their places in it make the redaction masks.
SELECT event_type, path, unless_permission, replacement FROM rowcast.redactions ORDER BY event_type, path
