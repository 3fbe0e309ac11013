-- What documents are uploaded about, and by whom: every product with every member of its organization's team.
SELECT p.id, p.organization_id, m.user_id
FROM chatbot.products p
JOIN chatbot.team_members m ON m.organization_id = p.organization_id
JOIN chatbot.users u ON u.id = m.user_id AND u.disabled_at IS NULL
ORDER BY p.id, m.user_id
