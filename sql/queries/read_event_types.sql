-- The event types and whom they are for.
SELECT name, required_permission FROM rowcast.event_types
