-- Adds the event type $1, for holders of the permission $2 (null: for everybody in the organization); whether it was not there.
SELECT rowcast.register_event_type($1, $2) AS added
