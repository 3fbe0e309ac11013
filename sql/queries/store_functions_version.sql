-- Remembers which rowcast wrote the functions.
INSERT INTO rowcast.settings (name, value, description)
VALUES ('functions_version', $1, 'written by rowcast migrate; do not change')
ON CONFLICT (name) DO UPDATE SET value = excluded.value
