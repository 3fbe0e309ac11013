-- Writes what users did with the streams of this server ($1). See sql/functions/68_tell_activity.sql.
SELECT rowcast.tell_activity($1, $2::text::jsonb, $3::text::jsonb)
