-- The preset `sessions`: an app with a table of its users' sessions. A row that comes is a sign-in; one that gets an end, or goes before it has one, a sign-out.
-- How to read this is said in chatbot.sql.
CREATE OR REPLACE VIEW rowcast.preset_sessions (position, part, argument, kind, defaults, description) AS
SELECT row_number() OVER (), p.*
FROM (VALUES
    ('users', 'table', 'table', ARRAY['users', 'accounts'], 'the users: which organization they belong to'),
    ('users', 'id', 'expression', ARRAY['r.id'], 'the user''s key'),
    ('users', 'organization', 'expression', ARRAY['r.organization_id'], 'where they belong'),

    ('sessions', 'event_type', 'event_type', ARRAY['user_activity'], 'users sign in and out'),
    ('sessions', 'table', 'table', ARRAY['sessions', 'user_sessions'], 'the sessions. Its primary key is sent with each event: it must not be what a browser signs in with'),
    ('sessions', 'id', 'expression', ARRAY['r.id'], 'the session''s key'),
    ('sessions', 'user_id', 'expression', ARRAY['r.user_id'], 'who'),
    ('sessions', 'organization_id', 'expression', ARRAY[
        'r.organization_id',
        $$(
    SELECT u.organization
    FROM (SELECT {user_id} AS id) AS s
    CROSS JOIN LATERAL (SELECT {users.organization} AS organization FROM {users.table} AS r WHERE {users.id} = s.id) AS u
)$$], 'where: from its row, or its user. Empty: the platform''s, for those who hold `monitor` in all of it'),
    ('sessions', 'ended', 'expression', ARRAY['r.ended_at', 'r.revoked_at', 'r.signed_out_at', 'NULL'], 'when it ended; NULL before. Empty: sessions end by being deleted'),
    ('sessions', 'gone', 'expression',
        ARRAY['NOT EXISTS (SELECT FROM (SELECT {id} AS id) AS s CROSS JOIN LATERAL (SELECT FROM {table} AS r WHERE {id} = s.id) AS found)'], 'whether the row has been deleted'),
    ('sessions', 'action', 'expression', ARRAY['CASE WHEN {ended} IS NOT NULL OR {gone} THEN ''sign_out'' ELSE ''sign_in'' END'], 'what happened'),
    ('sessions', 'metadata', 'expression', ARRAY['NULL'], 'whatever else is told: a jsonb object'),
    ('sessions', 'data', 'expression', ARRAY[$$jsonb_strip_nulls(jsonb_build_object(
    'userId',    {user_id}::text,
    'action',    {action}::text,
    'sessionId', {id}::text,
    'metadata',  rowcast.object_or_null({metadata})
))$$], 'the payload, from all before'),
    ('sessions', 'filter', 'expression', ARRAY['{user_id} IS NOT NULL AND NOT ({ended} IS NOT NULL AND {gone})'],
        'which rows count: those of a user. What has ended is told once: to delete it afterwards is no news'),
    ('sessions', 'changed_columns', 'columns', ARRAY['ROW({ended}, {user_id})'], 'an UPDATE counts if it changed what these read'),
    ('sessions', 'session_id', 'expression', ARRAY['{id}::text'], 'the session, as events name it'),
    ('sessions', 'priority', 'expression', ARRAY['''low'''], 'low, medium, high, critical')
) AS p (part, argument, kind, defaults, description);
