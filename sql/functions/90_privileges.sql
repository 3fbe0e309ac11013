-- Who may do what in rowcast. Nothing in it is executable by PUBLIC: a function that anybody may run is a function that
-- anybody may put on a table of their own.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
REVOKE ALL ON SCHEMA rowcast, rowcast_capture FROM PUBLIC;

GRANT USAGE ON SCHEMA rowcast TO rowcast_server, rowcast_writer, rowcast_reader;
GRANT USAGE, CREATE ON SCHEMA rowcast_capture TO rowcast_writer;

-- Owners of attached tables: what attach() and the functions that it generates need, and no look at the outbox.
GRANT INSERT (id, event_type, audience, organization_id, user_id, chatbot_id, session_id, source, source_key, operation, priority, data)
    ON rowcast.outbox TO rowcast_writer;
GRANT INSERT (source, event_type, operation, sqlstate, message) ON rowcast.capture_errors TO rowcast_writer;
GRANT USAGE ON SEQUENCE rowcast.outbox_id_seq TO rowcast_writer;
GRANT SELECT ON rowcast.event_types, rowcast.secret_patterns, rowcast.attachment_triggers, rowcast.attachments TO rowcast_writer, rowcast_server, rowcast_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rowcast TO rowcast_writer;
