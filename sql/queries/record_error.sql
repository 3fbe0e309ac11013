-- Takes in what Sentry tells of an issue ($2), once for each body ($1: its digest).
SELECT rowcast.record_error($1, $2::jsonb) AS outcome
