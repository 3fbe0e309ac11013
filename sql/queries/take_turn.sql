-- May this user do this kind of thing once more, of so many a minute? For how many seconds not.
SELECT rowcast.take_turn($1, $2, $3) AS retry_after
