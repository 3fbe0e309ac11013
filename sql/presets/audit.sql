-- The preset `audit`: an app that keeps a log of who did what. How to read this is said in chatbot.sql.
CREATE OR REPLACE VIEW rowcast.preset_audit (position, part, argument, kind, defaults, description) AS
SELECT row_number() OVER (), p.*
FROM (VALUES
    ('users', 'table', 'table', ARRAY['users', 'accounts'], 'the users: which organization they belong to'),
    ('users', 'id', 'expression', ARRAY['r.id'], 'the user''s key'),
    ('users', 'organization', 'expression', ARRAY['r.organization_id'], 'where they belong'),

    ('audit', 'event_type', 'event_type', ARRAY['user_activity'], 'what users do'),
    ('audit', 'table', 'table', ARRAY['audit_log', 'audit_logs', 'activity_log', 'activity_logs'], 'the log'),
    ('audit', 'user_id', 'expression', ARRAY['r.user_id', 'r.actor_id'], 'who'),
    ('audit', 'organization_id', 'expression', ARRAY[
        'r.organization_id',
        $$(
    SELECT u.organization
    FROM (SELECT {user_id} AS id) AS l
    CROSS JOIN LATERAL (SELECT {users.organization} AS organization FROM {users.table} AS r WHERE {users.id} = l.id) AS u
)$$], 'where: from its row, or its user. Empty: the platform''s, for those who hold `monitor` in all of it'),
    ('audit', 'action', 'expression', ARRAY['r.action', 'r.event'], 'what, by the app''s own names'),
    ('audit', 'session', 'expression', ARRAY['NULL'], 'the session in which they were signed in, unless its key is what a browser signs in with'),
    ('audit', 'metadata', 'expression', ARRAY['rowcast.without_secret_keys(rowcast.guarded_jsonb(r.metadata))', 'rowcast.without_secret_keys(rowcast.guarded_jsonb(r.details))', 'NULL'], 'whatever else is told: a jsonb object'),
    ('audit', 'data', 'expression', ARRAY[$$jsonb_strip_nulls(jsonb_build_object(
    'userId',    {user_id}::text,
    'action',    {action}::text,
    'sessionId', {session}::text,
    'metadata',  rowcast.object_or_null({metadata})
))$$], 'the payload, from all before'),
    ('audit', 'filter', 'expression', ARRAY['num_nulls({user_id}, {action}) = 0'], 'which rows count: those with a user and an action'),
    ('audit', 'operations', 'list', ARRAY['INSERT'], 'a log is only added to; what is cleared away is no news'),
    ('audit', 'priority', 'expression', ARRAY['''low'''], 'low, medium, high, critical')
) AS p (part, argument, kind, defaults, description);
