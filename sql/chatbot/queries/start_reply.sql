-- The chatbot begins to answer; the text comes when it is complete.
INSERT INTO chatbot.messages (session_id, role, status) VALUES ($1::text::uuid, 'bot', 'generating') RETURNING id
