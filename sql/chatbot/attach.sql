-- Attaches the chatbot app: which of its rows are events, what they look like, and who may see them.
-- This script is all there is. The app's own code is not touched, and its database role gets no right on rowcast.

-- Uploads, and every step of their processing.
SELECT rowcast.attach('chatbot.documents', 'document_processing',
    organization_id => 'r.organization_id',
    data => $$jsonb_strip_nulls(jsonb_build_object(
        'documentId',     r.id,
        'productId',      r.product_id,
        'filename',       r.filename,
        'stage',          r.processing_status,
        'progress',       r.progress,
        'status',         CASE WHEN r.processing_status IN ('completed', 'failed') THEN r.processing_status ELSE 'processing' END,
        'error',          r.error_message,
        'processingTime', round(extract(epoch FROM r.finished_at - r.uploaded_at) * 1000),
        'metadata',       jsonb_build_object('sizeBytes', r.size_bytes, 'pageCount', r.page_count, 'ocrConfidence', r.ocr_confidence)
    ))$$,
    changed_columns => '{processing_status,progress,error_message}',
    priority => $$CASE r.processing_status WHEN 'failed' THEN 'high' ELSE 'medium' END$$,
    user_id => 'r.uploaded_by');

-- Messages know their session, sessions their chatbot, chatbots their organization.
SELECT rowcast.attach('chatbot.messages', 'conversation_activity',
    organization_id => $$(
        SELECT c.organization_id
        FROM chatbot.conversation_sessions s JOIN chatbot.chatbot_instances c ON c.id = s.chatbot_id
        WHERE s.id = r.session_id
    )$$,
    data => $$jsonb_strip_nulls(jsonb_build_object(
        'messageId',    r.id::text,
        'messageType',  CASE r.role WHEN 'user' THEN 'user_message' WHEN 'bot' THEN 'bot_response' ELSE 'system_message' END,
        'content',      r.content,
        'status',       r.status,
        'responseTime', r.response_time_ms,
        'error',        r.error_message,
        'metadata',     jsonb_build_object('tokens', r.tokens)
    ))$$,
    priority => $$CASE r.status WHEN 'failed' THEN 'high' ELSE 'low' END$$,
    chatbot_id => '(SELECT s.chatbot_id FROM chatbot.conversation_sessions s WHERE s.id = r.session_id)',
    session_id => 'r.session_id::text');

-- The figures of a chatbot's day, each time that the app brings them up to date; once there are all of them.
SELECT rowcast.attach('chatbot.daily_metrics', 'chatbot_metrics',
    organization_id => '(SELECT c.organization_id FROM chatbot.chatbot_instances c WHERE c.id = r.chatbot_id)',
    data => $$jsonb_strip_nulls(jsonb_build_object(
        'activeConversations', r.active_conversations,
        'responseTime',        r.response_time_ms,
        'successRate',         r.success_rate,
        'tokenUsage',          r.tokens_used,
        'cost',                r.cost_usd,
        'userSatisfaction',    r.satisfaction
    ))$$,
    filter => 'r.response_time_ms IS NOT NULL AND r.success_rate IS NOT NULL',
    changed_columns => '{active_conversations,replies,response_time_ms,success_rate,tokens_used,satisfaction}',
    priority => $$'low'$$,
    chatbot_id => 'r.chatbot_id');

-- One log of the app, four types of event. Health is the platform's: no organization, so it is for platform staff.
SELECT rowcast.attach('chatbot.system_events', 'system_health',
    data => $$jsonb_strip_nulls(jsonb_build_object(
        'component',      r.component,
        'status',         r.status,
        'metric',         r.name,
        'value',          r.value,
        'threshold',      r.threshold,
        'message',        r.message,
        'recommendation', r.details -> 'recommendation'
    ))$$,
    filter => $$r.kind = 'health_check'$$,
    priority => $$CASE r.status WHEN 'down' THEN 'critical' WHEN 'degraded' THEN 'high' ELSE 'low' END$$);

SELECT rowcast.attach('chatbot.system_events', 'error_notification',
    organization_id => 'r.organization_id',
    data => $$jsonb_strip_nulls(jsonb_build_object(
        'errorId',       'err-' || r.id,
        'component',     r.component,
        'severity',      r.severity,
        'message',       r.message,
        'stackTrace',    r.details -> 'stackTrace',
        'userImpact',    r.details -> 'userImpact',
        'resolution',    r.details -> 'resolution',
        'sentryIssueId', r.details -> 'sentryIssueId'
    ))$$,
    filter => $$r.kind = 'error'$$,
    priority => 'r.severity',
    chatbot_id => 'r.chatbot_id');

SELECT rowcast.attach('chatbot.system_events', 'performance_alert',
    organization_id => 'r.organization_id',
    data => $$jsonb_strip_nulls(jsonb_build_object(
        'metric',    r.name,
        'value',     r.value,
        'threshold', r.threshold,
        'status',    r.status,
        'message',   r.message,
        'chatbotId', r.chatbot_id
    ))$$,
    filter => $$r.kind = 'alert'$$,
    priority => $$CASE r.status WHEN 'firing' THEN 'high' ELSE 'medium' END$$,
    chatbot_id => 'r.chatbot_id');

SELECT rowcast.attach('chatbot.system_events', 'user_activity',
    organization_id => 'r.organization_id',
    data => $$jsonb_strip_nulls(jsonb_build_object(
        'userId',    r.user_id,
        'action',    r.name,
        'sessionId', r.details -> 'sessionId',
        'metadata',  r.details - 'sessionId'
    ))$$,
    filter => $$r.kind = 'activity'$$,
    priority => $$'low'$$,
    user_id => 'r.user_id');

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
