-- The answer will not come.
UPDATE chatbot.messages SET status = 'failed', error_message = $2, response_time_ms = $3 WHERE id = $1
