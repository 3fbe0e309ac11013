-- Answers what another server has asked.
SELECT rowcast.answer_request($1, $2::text::jsonb)
