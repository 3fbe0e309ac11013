-- What rowcast.attach_preset would run with the same arguments.
SELECT rowcast.preview_preset($1, $2, $3::text::jsonb, $4)
