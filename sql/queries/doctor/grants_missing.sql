-- Has somebody taken back what the group roles were given by `rowcast migrate`?
SELECT 'problem' AS level,
       format('%s may not %s %s', w.role, w.privilege, w.object) AS what,
       format('GRANT %s ON %s TO %s;', w.privilege, w.object, w.role) AS fix
FROM (
    SELECT 'rowcast_server' AS role, 'SELECT' AS privilege, 'rowcast.' || t.name AS object, has_table_privilege('rowcast_server', 'rowcast.' || t.name, 'SELECT') AS held
    FROM unnest('{outbox, settled, epochs, maintenance, settings, schema_history, event_types, redactions, grants, access_changes, commands}'::text[]) AS t (name)
    UNION ALL
    SELECT 'rowcast_server', p.name, 'rowcast.' || t.name, has_table_privilege('rowcast_server', 'rowcast.' || t.name, p.name)
    FROM unnest('{servers, connections, rates}'::text[]) AS t (name), unnest('{SELECT, INSERT, UPDATE, DELETE}'::text[]) AS p (name)
    UNION ALL
    SELECT 'rowcast_server', 'SELECT', 'rowcast.outbox_id_seq', has_sequence_privilege('rowcast_server', 'rowcast.outbox_id_seq', 'SELECT')
    UNION ALL
    SELECT 'rowcast_server', 'UPDATE (undecided)', 'rowcast.settled', has_column_privilege('rowcast_server', 'rowcast.settled', 'undecided', 'UPDATE')
    UNION ALL
    SELECT 'rowcast_server', 'EXECUTE', 'FUNCTION ' || p.oid::regprocedure, has_function_privilege('rowcast_server', p.oid, 'EXECUTE')
    FROM pg_proc AS p
    WHERE p.pronamespace = 'rowcast'::regnamespace AND p.proname IN ('issue_ticket', 'redeem_ticket', 'take_turn', 'enter_connections', 'keep_server', 'ask_connection', 'answer_request')
    UNION ALL
    SELECT r.name, 'USAGE', 'SCHEMA rowcast', has_schema_privilege(r.name, 'rowcast', 'USAGE')
    FROM unnest('{rowcast_server, rowcast_writer, rowcast_reader}'::text[]) AS r (name)
    UNION ALL
    SELECT 'rowcast_writer', 'USAGE', 'SEQUENCE rowcast.outbox_id_seq', has_sequence_privilege('rowcast_writer', 'rowcast.outbox_id_seq', 'USAGE')
    UNION ALL
    SELECT 'rowcast_writer', format('INSERT (%s)', string_agg(c.name, ', ')), 'rowcast.outbox', false
    FROM unnest('{id, event_type, audience, organization_id, user_id, chatbot_id, session_id, source, source_key, operation, priority, data}'::text[]) AS c (name)
    WHERE NOT has_column_privilege('rowcast_writer', 'rowcast.outbox', c.name, 'INSERT')
    HAVING count(*) > 0
    UNION ALL
    SELECT 'rowcast_writer', 'EXECUTE', 'FUNCTION ' || p.oid::regprocedure, has_function_privilege('rowcast_writer', p.oid, 'EXECUTE')
    FROM pg_proc AS p
    WHERE p.pronamespace = 'rowcast'::regnamespace
      AND p.proname IN ('attach', 'detach', 'emit', 'mark_writer', 'open_window', 'open_next_window', 'window_end', 'draw_id', 'draw_in_next_window', 'ring_doorbell', 'doorbell_is_on', 'commits_in_two_phases', 'max_payload_bytes', 'hidden_columns')
) AS w
WHERE NOT w.held
