-- The preset `chatbot`: an app in which organizations upload documents, and chatbots answer visitors from them. What its columns are called
-- is a matter of arguments; the defaults are those of the example app, and other usual names.
--
-- One row for each argument, in the order in which they are found: the first default that fits the app's tables counts, and an argument of the caller
-- before all of them. {argument} stands for another argument of the part, {part.argument} for one of another part. Arguments that are called like those of
-- rowcast.attach() are what it is called with. A part without event_type is only looked up by the others.
--
-- Whatever the columns hold, the app's write must not fail. So times are compared as numbers before one is taken from the other: infinite ones, which some apps write
-- for "never", and those that are too far apart cannot be.
CREATE OR REPLACE VIEW rowcast.preset_chatbot (position, part, argument, kind, defaults, description) AS
SELECT row_number() OVER (), p.*
FROM (VALUES
    ('chatbots', 'table', 'table', ARRAY['chatbot_instances', 'chatbots'], 'the chatbots: whose organization a conversation is'),
    ('chatbots', 'id', 'expression', ARRAY['r.id'], 'the chatbot''s key'),
    ('chatbots', 'organization', 'expression', ARRAY['r.organization_id'], 'whose it is'),

    ('sessions', 'table', 'table', ARRAY['conversation_sessions', 'conversations'], 'the conversations: which chatbot''s they are'),
    ('sessions', 'id', 'expression', ARRAY['r.id'], 'the conversation''s key'),
    ('sessions', 'chatbot', 'expression', ARRAY['r.chatbot_id'], 'its chatbot'),
    ('sessions', 'organization', 'expression', ARRAY['r.organization_id'], 'whose it is, if it says so itself'),

    ('documents', 'event_type', 'event_type', ARRAY['document_processing'], 'each step of a document from upload to search'),
    ('documents', 'table', 'table', ARRAY['documents'], 'the documents'),
    ('documents', 'id', 'expression', ARRAY['r.id'], 'the document''s key'),
    ('documents', 'organization_id', 'expression', ARRAY['r.organization_id'], 'whose it is'),
    ('documents', 'user_id', 'expression', ARRAY['r.uploaded_by', 'r.user_id', 'NULL'], 'who uploaded it'),
    ('documents', 'product', 'expression', ARRAY['r.product_id', 'NULL'], 'the product that it is about'),
    ('documents', 'filename', 'expression', ARRAY['r.filename', 'r.file_name', 'r.name', 'r.title'], 'as it was uploaded'),
    ('documents', 'status', 'expression', ARRAY['r.processing_status', 'r.status'], 'where it is, in the app''s own words'),
    ('documents', 'status_words', 'words', ARRAY['{
        "upload": "upload", "uploaded": "upload", "uploading": "upload", "new": "upload", "created": "upload", "queued": "upload", "pending": "upload", "waiting": "upload", "received": "upload", "scheduled": "upload",
        "ocr": "ocr", "processing": "ocr", "inprogress": "ocr", "running": "ocr", "started": "ocr", "active": "ocr", "extracting": "ocr", "extracted": "ocr", "parsing": "ocr", "parsed": "ocr", "scanning": "ocr", "converting": "ocr",
        "chunking": "chunking", "chunked": "chunking", "splitting": "chunking", "split": "chunking",
        "embedding": "embedding", "embedded": "embedding", "vectorizing": "embedding", "encoding": "embedding",
        "indexing": "indexing", "storing": "indexing", "finalizing": "indexing",
        "completed": "completed", "complete": "completed", "done": "completed", "success": "completed", "succeeded": "completed", "successful": "completed", "finished": "completed", "processed": "completed", "indexed": "completed", "ready": "completed", "ok": "completed",
        "failed": "failed", "failure": "failed", "fail": "failed", "error": "failed", "errored": "failed", "cancelled": "failed", "canceled": "failed", "aborted": "failed", "rejected": "failed", "timeout": "failed",
        "*": "ocr"}'], 'what those words mean: a JSON object, added to this one. * is any other word. Capitals, spaces, dashes and underscores do not count'),
    ('documents', 'stage', 'expression', ARRAY['rowcast.meaning({status_words}, coalesce({status}::text, ''upload''))'], 'the stage, from the two before'),
    ('documents', 'progress', 'expression', ARRAY['r.progress', 'r.progress_percent', 'NULL'], 'how far it is; without it, that follows from the stage'),
    ('documents', 'progress_max', 'expression', ARRAY['100'], 'what progress is at the end: 1 for shares, or r.page_count for pages'),
    ('documents', 'error', 'expression', ARRAY['r.error_message', 'r.error', 'NULL'], 'why it failed'),
    ('documents', 'uploaded', 'expression', ARRAY['r.uploaded_at', 'r.created_at'], 'when it came'),
    ('documents', 'finished', 'expression', ARRAY['r.finished_at', 'r.completed_at', 'r.processed_at'], 'when it was done, or had failed'),
    ('documents', 'processing_time', 'expression',
        ARRAY['r.processing_time_ms', $$CASE WHEN abs(extract(epoch FROM {finished}) - extract(epoch FROM {uploaded})) < 1e12 THEN round(extract(epoch FROM {finished} - {uploaded}) * 1000) END$$, 'NULL'], 'from upload to the end, in milliseconds'),
    ('documents', 'metadata', 'expression',
        ARRAY['jsonb_build_object(''sizeBytes'', r.size_bytes, ''pageCount'', r.page_count, ''ocrConfidence'', r.ocr_confidence)', 'rowcast.without_secret_keys(rowcast.guarded_jsonb(r.metadata))', 'NULL'],
        'whatever else is told: a jsonb object'),
    ('documents', 'data', 'expression', ARRAY[$$jsonb_strip_nulls(jsonb_build_object(
    'documentId',     {id}::text,
    'productId',      {product}::text,
    'filename',       coalesce({filename}::text, {id}::text),
    'error',          nullif({error}::text, ''),
    'processingTime', rowcast.json_number({processing_time}),
    'metadata',       rowcast.object_or_null({metadata})
) || rowcast.document_at({stage}, rowcast.percent({progress}, {progress_max})))$$], 'the payload, from all before'),
    ('documents', 'changed_columns', 'columns', ARRAY['ROW({status}, {progress}, {error})'], 'an UPDATE counts if it changed what these read'),
    ('documents', 'priority', 'expression', ARRAY['CASE {stage} WHEN ''failed'' THEN ''high'' ELSE ''medium'' END'], 'low, medium, high, critical'),
    ('documents', 'filter', 'expression', ARRAY['NULL'], 'which rows count'),

    ('chunks', 'event_type', 'event_type', ARRAY['document_processing'], 'chunks of documents as they are stored: one event for each document of a statement, however many chunks'),
    ('chunks', 'table', 'table', ARRAY['document_chunks', 'chunks'], 'the chunks'),
    ('chunks', 'document', 'expression', ARRAY['r.document_id'], 'the document that it is part of'),
    ('chunks', 'group_by', 'expression', ARRAY['{document}'], 'one event for each of these'),
    ('chunks', 'organization_id', 'expression', ARRAY[$$(
    SELECT d.organization
    FROM (SELECT {document} AS document) AS c
    CROSS JOIN LATERAL (SELECT {documents.organization_id} AS organization FROM {documents.table} AS r WHERE {documents.id} = c.document) AS d
)$$], 'whose it is: its document''s'),
    ('chunks', 'data', 'expression', ARRAY[$$(
    -- A document that is not so far yet has come so far; one that is further stays where it is.
    SELECT d.data
           || CASE WHEN d.data ->> 'stage' IN ('upload', 'ocr') THEN rowcast.document_at('chunking', d.progress) ELSE '{}' END
           || jsonb_build_object('metadata', coalesce(d.data -> 'metadata', '{}') || jsonb_build_object('chunks', rows))
    FROM (SELECT {document} AS document) AS c
    CROSS JOIN LATERAL (
        SELECT {documents.data} AS data, rowcast.percent({documents.progress}, {documents.progress_max}) AS progress
        FROM {documents.table} AS r WHERE {documents.id} = c.document
    ) AS d
)$$], 'its document as it is, with the number of chunks'),
    ('chunks', 'operations', 'list', ARRAY['INSERT'], 'chunks that are changed or go are no progress'),
    ('chunks', 'priority', 'expression', ARRAY['''medium'''], 'low, medium, high, critical'),
    ('chunks', 'filter', 'expression', ARRAY['NULL'], 'which rows count'),

    ('messages', 'event_type', 'event_type', ARRAY['conversation_activity'], 'each message, and each change of one that is being written'),
    ('messages', 'table', 'table', ARRAY['messages'], 'the messages'),
    ('messages', 'id', 'expression', ARRAY['r.id'], 'the message''s key'),
    ('messages', 'session', 'expression', ARRAY['r.session_id', 'r.conversation_id'], 'its conversation'),
    ('messages', 'organization_id', 'expression', ARRAY[
        'r.organization_id',
        $$(
    SELECT s.organization
    FROM (SELECT {session} AS session) AS m
    CROSS JOIN LATERAL (SELECT {sessions.organization} AS organization FROM {sessions.table} AS r WHERE {sessions.id} = m.session) AS s
)$$,
        $$(
    SELECT c.organization
    FROM (SELECT {session} AS session) AS m
    CROSS JOIN LATERAL (SELECT {sessions.chatbot} AS chatbot FROM {sessions.table} AS r WHERE {sessions.id} = m.session) AS s
    CROSS JOIN LATERAL (SELECT {chatbots.organization} AS organization FROM {chatbots.table} AS r WHERE {chatbots.id} = s.chatbot) AS c
)$$,
        $$(
    SELECT c.organization
    FROM (SELECT r.chatbot_id AS chatbot) AS m
    CROSS JOIN LATERAL (SELECT {chatbots.organization} AS organization FROM {chatbots.table} AS r WHERE {chatbots.id} = m.chatbot) AS c
)$$], 'whose it is: from its row, its conversation, or its chatbot'),
    ('messages', 'chatbot_id', 'expression', ARRAY[
        'r.chatbot_id',
        $$(
    SELECT s.chatbot
    FROM (SELECT {session} AS session) AS m
    CROSS JOIN LATERAL (SELECT {sessions.chatbot} AS chatbot FROM {sessions.table} AS r WHERE {sessions.id} = m.session) AS s
)$$,
        'NULL'], 'the chatbot that speaks'),
    ('messages', 'session_id', 'expression', ARRAY['{session}::text', 'NULL'], 'the conversation, as events name it'),
    ('messages', 'role', 'expression', ARRAY['r.role', 'r.sender', 'r.message_type'], 'who speaks, in the app''s own words'),
    ('messages', 'role_words', 'words', ARRAY['{
        "user": "user_message", "usermessage": "user_message", "human": "user_message", "visitor": "user_message", "customer": "user_message", "client": "user_message", "guest": "user_message",
        "bot": "bot_response", "botresponse": "bot_response", "assistant": "bot_response", "ai": "bot_response", "agent": "bot_response", "model": "bot_response", "chatbot": "bot_response",
        "system": "system_message", "systemmessage": "system_message", "tool": "system_message", "function": "system_message", "developer": "system_message",
        "*": "system_message"}'], 'what those words mean'),
    ('messages', 'type', 'expression', ARRAY['rowcast.meaning({role_words}, {role}::text)'], 'user_message, bot_response or system_message, from the two before'),
    ('messages', 'content', 'expression', ARRAY['r.content', 'r.body', 'r.text', 'r.message', 'NULL'], 'the text'),
    ('messages', 'status', 'expression', ARRAY['r.status', $$'completed'$$], 'how far it is, in the app''s own words'),
    ('messages', 'error', 'expression', ARRAY['r.error_message', 'r.error', 'NULL'], 'why there is no answer'),
    ('messages', 'created', 'expression', ARRAY['r.created_at', 'r.sent_at'], 'when it was written, or begun'),
    ('messages', 'answered', 'expression', ARRAY['r.completed_at', 'r.finished_at', '{created}'], 'when an answer was complete; NULL before'),
    ('messages', 'response_time', 'expression', ARRAY[
        'r.response_time_ms',
        'r.latency_ms',
        $$(
    SELECT CASE WHEN abs(extract(epoch FROM m.answered) - extract(epoch FROM q.asked)) < 1e12 THEN round(extract(epoch FROM m.answered - q.asked) * 1000) END
    FROM (SELECT {session} AS session, {created} AS created, {answered} AS answered, {type} AS type) AS m
    CROSS JOIN LATERAL (
        SELECT max({created}) AS asked FROM {table} AS r WHERE {session} = m.session AND {created} <= m.created AND {type} = 'user_message'
    ) AS q
    WHERE m.type = 'bot_response'
)$$,
        'NULL'], 'from the question to the answer, in milliseconds: from its row, or since the last user message before it in its conversation'),
    ('messages', 'metadata', 'expression', ARRAY['jsonb_build_object(''tokens'', r.tokens)', 'rowcast.without_secret_keys(rowcast.guarded_jsonb(r.metadata))', 'NULL'],
        'whatever else is told: a jsonb object'),
    ('messages', 'data', 'expression', ARRAY[$$jsonb_strip_nulls(jsonb_build_object(
    'messageId',    {id}::text,
    'messageType',  {type},
    'content',      {content}::text,
    'status',       coalesce({status}::text, 'completed'),
    'responseTime', rowcast.json_number({response_time}),
    'error',        nullif({error}::text, ''),
    'metadata',     rowcast.object_or_null({metadata})
))$$], 'the payload, from all before'),
    ('messages', 'changed_columns', 'columns', ARRAY['NULL'], 'an UPDATE counts if it changed what these read; without it, any'),
    ('messages', 'priority', 'expression',
        ARRAY['CASE WHEN rowcast.word({status}::text) IN (''failed'', ''error'') THEN ''high'' ELSE ''low'' END'], 'low, medium, high, critical'),
    ('messages', 'user_id', 'expression', ARRAY['NULL'], 'the user concerned'),
    ('messages', 'filter', 'expression', ARRAY['NULL'], 'which rows count'),

    ('metrics', 'event_type', 'event_type', ARRAY['chatbot_metrics'], 'a chatbot''s figures, once there are all of them'),
    ('metrics', 'table', 'table', ARRAY['daily_metrics', 'chatbot_metrics'], 'the figures that the app keeps'),
    ('metrics', 'chatbot_id', 'expression', ARRAY['r.chatbot_id', 'NULL'], 'whose figures they are'),
    ('metrics', 'organization_id', 'expression', ARRAY[
        'r.organization_id',
        $$(
    SELECT c.organization
    FROM (SELECT {chatbot_id} AS chatbot) AS m
    CROSS JOIN LATERAL (SELECT {chatbots.organization} AS organization FROM {chatbots.table} AS r WHERE {chatbots.id} = m.chatbot) AS c
)$$], 'whose they are: from the row, or its chatbot'),
    ('metrics', 'active_conversations', 'expression', ARRAY['r.active_conversations'], 'conversations under way'),
    ('metrics', 'response_time', 'expression', ARRAY['r.response_time_ms', 'r.avg_response_time_ms'], 'from a question to its answer on average, in milliseconds'),
    ('metrics', 'success_rate', 'expression', ARRAY['r.success_rate'], 'the share of questions that were answered: 0 to 1'),
    ('metrics', 'tokens', 'expression', ARRAY['r.tokens_used', 'r.token_usage'], 'tokens of the language model'),
    ('metrics', 'cost', 'expression', ARRAY['r.cost_usd', 'r.cost'], 'what they cost, in US dollars'),
    ('metrics', 'satisfaction', 'expression', ARRAY['r.satisfaction', 'r.user_satisfaction', 'NULL'], 'what visitors say, 1 to 5 on average'),
    ('metrics', 'trends', 'expression', ARRAY['rowcast.guarded_jsonb(r.trends)', 'NULL'], 'how the figures move: a jsonb object'),
    ('metrics', 'data', 'expression', ARRAY[$$jsonb_strip_nulls(jsonb_build_object(
    'activeConversations', rowcast.json_number({active_conversations}),
    'responseTime',        rowcast.json_number({response_time}),
    'successRate',         rowcast.json_number({success_rate}),
    'tokenUsage',          rowcast.json_number({tokens}),
    'cost',                rowcast.json_number({cost}),
    'userSatisfaction',    rowcast.json_number({satisfaction}),
    'trends',              rowcast.object_or_null({trends})
))$$], 'the payload, from all before'),
    ('metrics', 'filter', 'expression', ARRAY[$$num_nulls(
    rowcast.json_number({active_conversations}), rowcast.json_number({response_time}), rowcast.json_number({success_rate}),
    rowcast.json_number({tokens}), rowcast.json_number({cost})) = 0$$], 'which rows count: those with all figures'),
    ('metrics', 'changed_columns', 'columns',
        ARRAY['ROW({active_conversations}, {response_time}, {success_rate}, {tokens}, {cost}, {satisfaction}, {trends})'], 'an UPDATE counts if it changed what these read'),
    ('metrics', 'priority', 'expression', ARRAY['''low'''], 'low, medium, high, critical'),

    ('health', 'event_type', 'event_type', ARRAY['system_health'], 'measurements of the platform that the app logs'),
    ('health', 'table', 'table', ARRAY['system_events'], 'the app''s log'),
    ('health', 'rows', 'expression', ARRAY['r.kind = ''health_check'''], 'which of its rows these are; true for all'),
    ('health', 'organization_id', 'expression', ARRAY['NULL'], 'nobody''s: health is the platform''s, for those who hold `monitor` in all of it'),
    ('health', 'component', 'expression', ARRAY['r.component'], 'what was measured, in the app''s own words'),
    ('health', 'component_words', 'words', ARRAY['{
        "database": "database", "db": "database", "postgres": "database", "postgresql": "database", "sql": "database",
        "vectorsearch": "vector_search", "vector": "vector_search", "vectors": "vector_search", "search": "vector_search", "vectordb": "vector_search", "pgvector": "vector_search",
        "llmapi": "llm_api", "llm": "llm_api", "model": "llm_api", "bedrock": "llm_api", "openai": "llm_api", "anthropic": "llm_api",
        "documentprocessing": "document_processing", "documents": "document_processing", "ingestion": "document_processing", "pipeline": "document_processing", "worker": "document_processing",
        "general": "general",
        "*": "general"}'], 'what those words mean'),
    ('health', 'status', 'expression', ARRAY['r.status'], 'how well it is, in the app''s own words'),
    ('health', 'status_words', 'words', ARRAY['{
        "healthy": "healthy", "ok": "healthy", "up": "healthy", "pass": "healthy", "passing": "healthy", "green": "healthy", "good": "healthy",
        "degraded": "degraded", "slow": "degraded", "warn": "degraded", "warning": "degraded", "yellow": "degraded",
        "down": "down", "fail": "down", "failed": "down", "failing": "down", "error": "down", "critical": "down", "unhealthy": "down", "red": "down", "outage": "down",
        "*": "degraded"}'], 'what those words mean'),
    ('health', 'state', 'expression', ARRAY['rowcast.meaning({status_words}, {status}::text)'], 'healthy, degraded or down, from the two before'),
    ('health', 'metric', 'expression', ARRAY['r.name', 'r.metric'], 'the figure''s name'),
    ('health', 'value', 'expression', ARRAY['r.value'], 'the figure'),
    ('health', 'threshold', 'expression', ARRAY['r.threshold', 'NULL'], 'from where on it is no longer healthy'),
    ('health', 'message', 'expression', ARRAY['r.message'], 'for people'),
    ('health', 'recommendation', 'expression', ARRAY['r.recommendation', 'rowcast.guarded_jsonb(r.details) ->> ''recommendation''', 'NULL'], 'what to do about it'),
    ('health', 'data', 'expression', ARRAY[$$jsonb_strip_nulls(jsonb_build_object(
    'component',      rowcast.meaning({component_words}, {component}::text),
    'status',         {state},
    'metric',         {metric}::text,
    'value',          rowcast.json_number({value}),
    'threshold',      rowcast.json_number({threshold}),
    'message',        coalesce({message}::text, {metric}::text),
    'recommendation', {recommendation}::text
))$$], 'the payload, from all before'),
    ('health', 'filter', 'expression', ARRAY['{rows} AND {metric} IS NOT NULL AND rowcast.json_number({value}) IS NOT NULL'], 'which rows count: of those, the ones with a figure'),
    ('health', 'priority', 'expression', ARRAY['CASE {state} WHEN ''down'' THEN ''critical'' WHEN ''degraded'' THEN ''high'' ELSE ''low'' END'], 'low, medium, high, critical'),

    ('errors', 'event_type', 'event_type', ARRAY['error_notification'], 'errors that the app logs'),
    ('errors', 'table', 'table', ARRAY['system_events'], 'the app''s log'),
    ('errors', 'rows', 'expression', ARRAY['r.kind = ''error'''], 'which of its rows these are; true for all'),
    ('errors', 'id', 'expression', ARRAY['''err-'' || r.id'], 'this occurrence'),
    ('errors', 'organization_id', 'expression', ARRAY['r.organization_id'], 'whose it is'),
    ('errors', 'chatbot_id', 'expression', ARRAY['r.chatbot_id', 'NULL'], 'the chatbot concerned'),
    ('errors', 'component', 'expression', ARRAY['r.component', '''general'''], 'where, by the app''s own names'),
    ('errors', 'severity', 'expression', ARRAY['r.severity', 'r.level'], 'how bad it is, in the app''s own words'),
    ('errors', 'severity_words', 'words', ARRAY['{
        "low": "low", "debug": "low", "info": "low", "notice": "low", "minor": "low",
        "medium": "medium", "warn": "medium", "warning": "medium", "moderate": "medium",
        "high": "high", "error": "high", "err": "high", "major": "high", "severe": "high",
        "critical": "critical", "fatal": "critical", "emergency": "critical", "alert": "critical", "panic": "critical",
        "*": "medium"}'], 'what those words mean'),
    ('errors', 'level', 'expression', ARRAY['rowcast.meaning({severity_words}, {severity}::text)'], 'low, medium, high or critical, from the two before'),
    ('errors', 'message', 'expression', ARRAY['r.message'], 'for people'),
    ('errors', 'stack_trace', 'expression', ARRAY['r.stack_trace', 'rowcast.guarded_jsonb(r.details) ->> ''stackTrace''', 'NULL'], 'left out for viewers without `admin`'),
    ('errors', 'impact', 'expression', ARRAY['r.user_impact', 'rowcast.guarded_jsonb(r.details) ->> ''userImpact''', 'NULL'], 'how bad it is for users, in the app''s own words; without it, that follows from the severity'),
    ('errors', 'impact_words', 'words', ARRAY['{"none": "none", "minor": "minor", "low": "minor", "major": "major", "high": "major", "critical": "critical"}'], 'what those words mean'),
    ('errors', 'resolution', 'expression', ARRAY['r.resolution', 'rowcast.guarded_jsonb(r.details) ->> ''resolution''', 'NULL'], 'what was done, or is to be done'),
    ('errors', 'sentry_issue_id', 'expression', ARRAY['r.sentry_issue_id', 'rowcast.guarded_jsonb(r.details) ->> ''sentryIssueId''', 'NULL'], 'the issue in Sentry'),
    ('errors', 'data', 'expression', ARRAY[$$jsonb_strip_nulls(jsonb_build_object(
    'errorId',       {id}::text,
    'component',     coalesce({component}::text, 'general'),
    'severity',      {level},
    'message',       coalesce({message}::text, {id}::text),
    'stackTrace',    {stack_trace}::text,
    'userImpact',    coalesce(rowcast.meaning({impact_words}, {impact}::text),
                              '{"low": "none", "medium": "minor", "high": "major", "critical": "critical"}'::jsonb ->> {level}),
    'resolution',    {resolution}::text,
    'sentryIssueId', {sentry_issue_id}::text
))$$], 'the payload, from all before'),
    ('errors', 'filter', 'expression', ARRAY['{rows}'], 'which rows count'),
    ('errors', 'priority', 'expression', ARRAY['{level}'], 'low, medium, high, critical'),

    ('alerts', 'event_type', 'event_type', ARRAY['performance_alert'], 'alerts that the app raises'),
    ('alerts', 'table', 'table', ARRAY['system_events'], 'the app''s log'),
    ('alerts', 'rows', 'expression', ARRAY['r.kind = ''alert'''], 'which of its rows these are; true for all'),
    ('alerts', 'organization_id', 'expression', ARRAY['r.organization_id'], 'whose it is'),
    ('alerts', 'chatbot_id', 'expression', ARRAY['r.chatbot_id', 'NULL'], 'the chatbot whose figure it is'),
    ('alerts', 'metric', 'expression', ARRAY['r.name', 'r.metric'], 'the figure''s name'),
    ('alerts', 'value', 'expression', ARRAY['r.value'], 'the figure'),
    ('alerts', 'threshold', 'expression', ARRAY['r.threshold'], 'what it has passed'),
    ('alerts', 'status', 'expression', ARRAY['r.status'], 'whether it is still beyond, in the app''s own words'),
    ('alerts', 'status_words', 'words', ARRAY['{
        "firing": "firing", "fired": "firing", "triggered": "firing", "open": "firing", "active": "firing", "raised": "firing", "new": "firing",
        "resolved": "resolved", "ok": "resolved", "closed": "resolved", "cleared": "resolved", "recovered": "resolved", "inactive": "resolved",
        "*": "firing"}'], 'what those words mean'),
    ('alerts', 'state', 'expression', ARRAY['rowcast.meaning({status_words}, {status}::text)'], 'firing or resolved, from the two before'),
    ('alerts', 'message', 'expression', ARRAY['r.message'], 'for people'),
    ('alerts', 'data', 'expression', ARRAY[$$jsonb_strip_nulls(jsonb_build_object(
    'metric',    {metric}::text,
    'value',     rowcast.json_number({value}),
    'threshold', rowcast.json_number({threshold}),
    'status',    {state},
    'message',   coalesce({message}::text, {metric}::text),
    'chatbotId', {chatbot_id}::text
))$$], 'the payload, from all before'),
    ('alerts', 'filter', 'expression',
        ARRAY['{rows} AND {metric} IS NOT NULL AND num_nulls(rowcast.json_number({value}), rowcast.json_number({threshold})) = 0'],
        'which rows count: of those, the ones with both figures'),
    ('alerts', 'priority', 'expression', ARRAY['CASE {state} WHEN ''firing'' THEN ''high'' ELSE ''medium'' END'], 'low, medium, high, critical'),

    ('activity', 'event_type', 'event_type', ARRAY['user_activity'], 'what colleagues do, as the app logs it'),
    ('activity', 'table', 'table', ARRAY['system_events'], 'the app''s log'),
    ('activity', 'rows', 'expression', ARRAY['r.kind = ''activity'''], 'which of its rows these are; true for all'),
    ('activity', 'organization_id', 'expression', ARRAY['r.organization_id'], 'where'),
    ('activity', 'user_id', 'expression', ARRAY['r.user_id'], 'who'),
    ('activity', 'action', 'expression', ARRAY['r.name', 'r.action'], 'what, by the app''s own names'),
    ('activity', 'session', 'expression', ARRAY['rowcast.guarded_jsonb(r.details) ->> ''sessionId''', 'NULL'], 'the session in which they were signed in'),
    ('activity', 'metadata', 'expression', ARRAY['rowcast.without_secret_keys(rowcast.guarded_jsonb(r.details) - ''sessionId'')', 'rowcast.without_secret_keys(rowcast.guarded_jsonb(r.metadata))', 'NULL'],
        'whatever else is told: a jsonb object'),
    ('activity', 'data', 'expression', ARRAY[$$jsonb_strip_nulls(jsonb_build_object(
    'userId',    {user_id}::text,
    'action',    {action}::text,
    'sessionId', {session}::text,
    'metadata',  rowcast.object_or_null({metadata})
))$$], 'the payload, from all before'),
    ('activity', 'filter', 'expression', ARRAY['{rows} AND num_nulls({user_id}, {action}) = 0'], 'which rows count: of those, the ones with a user and an action'),
    ('activity', 'priority', 'expression', ARRAY['''low'''], 'low, medium, high, critical')
) AS p (part, argument, kind, defaults, description);
