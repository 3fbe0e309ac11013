-- The visitor leaves, and may say how it was.
UPDATE chatbot.conversation_sessions SET ended_at = now(), satisfaction = $2::integer WHERE id = $1::text::uuid
