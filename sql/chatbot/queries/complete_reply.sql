-- The answer is complete.
UPDATE chatbot.messages SET status = 'completed', content = $2, tokens = $3, response_time_ms = $4 WHERE id = $1
