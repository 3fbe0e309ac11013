-- Nobody came back to these: the app was restarted, or the visitor just closed the tab.
UPDATE chatbot.conversation_sessions SET ended_at = now() WHERE ended_at IS NULL
