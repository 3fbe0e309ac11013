-- What the visitor sees first.
INSERT INTO chatbot.messages (session_id, role, content) VALUES ($1::text::uuid, 'system', $2)
