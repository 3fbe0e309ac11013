-- The statement that registers the event type $1 for holders of the permission $2, for people to read and run.
SELECT format('SELECT rowcast.register_event_type(%L, %L);', $1::text, $2::text) AS statement
