-- A visitor opens a conversation.
INSERT INTO chatbot.conversation_sessions (chatbot_id, channel) VALUES ($1, $2) RETURNING id::text
