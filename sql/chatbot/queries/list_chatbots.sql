-- The chatbots that answer visitors, and whose they are.
SELECT id, organization_id
FROM chatbot.chatbot_instances
WHERE status = 'active'
ORDER BY id
