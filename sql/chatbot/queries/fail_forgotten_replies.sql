-- Replies that the app was still writing when it was stopped.
UPDATE chatbot.messages SET status = 'failed', error_message = 'The service was restarted before the answer was complete.'
WHERE status = 'generating'
