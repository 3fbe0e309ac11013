-- Attaches the chatbot app: which of its rows are events, what they look like, and who may see them.
-- The app's own code is not touched, and its database role gets no right on rowcast. What is computed from its rows is in producers.sql.

-- Its tables and columns have the names that the preset looks for; rowcast.preview_preset() writes out what that comes to.
SELECT * FROM rowcast.attach_preset('chatbot', 'chatbot', parts => '{documents,chunks,messages,health,errors,activity}');

-- Who may see what is read from the app's own teams. An analyst of theirs is rowcast's chatbot_manager.
INSERT INTO rowcast.role_permissions (role, permission) VALUES ('analyst', 'chatbot_manager') ON CONFLICT DO NOTHING;

SELECT rowcast.use_grants(
    $$
    SELECT m.user_id, m.organization_id, p.permission
    FROM chatbot.team_members m
    JOIN chatbot.users u ON u.id = m.user_id AND u.disabled_at IS NULL
    LEFT JOIN rowcast.role_permissions p ON p.role = m.role
    UNION ALL
    SELECT u.id, NULL, p.permission
    FROM chatbot.users u
    JOIN rowcast.role_permissions p ON p.role = 'admin'
    WHERE u.is_staff AND u.disabled_at IS NULL
    $$,
    -- last_seen_at changes with every request and concerns nobody's access.
    '{"chatbot.team_members": "r.user_id",
      "chatbot.users": {"user": "r.id", "columns": ["is_staff", "disabled_at"]}}'
);
