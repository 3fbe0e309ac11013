-- What rowcast attach --preset asks for; no parts are all of them.
SELECT source, event_type FROM rowcast.attach_preset($1, $2, $3::text::jsonb, $4)
