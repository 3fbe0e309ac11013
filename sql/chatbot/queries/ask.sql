-- A visitor's message.
INSERT INTO chatbot.messages (session_id, role, content, tokens) VALUES ($1::text::uuid, 'user', $2, $3)
