-- Who may do what in rowcast. Nothing in it is executable by PUBLIC: a function that anybody may run is a function that
-- anybody may put on a table of their own.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
REVOKE ALL ON SCHEMA rowcast FROM PUBLIC;
GRANT USAGE ON SCHEMA rowcast TO rowcast_server, rowcast_writer, rowcast_reader;

-- Owners of attached tables write the outbox, by way of their trigger functions, and have no look at it.
GRANT INSERT (id, event_type, audience, organization_id, user_id, chatbot_id, session_id, source, source_key, operation, priority, data)
    ON rowcast.outbox TO rowcast_writer;
GRANT INSERT (source, event_type, operation, sqlstate, message) ON rowcast.capture_errors TO rowcast_writer;
GRANT USAGE ON SEQUENCE rowcast.outbox_id_seq TO rowcast_writer;
GRANT SELECT ON rowcast.event_types, rowcast.secret_patterns, rowcast.attachment_triggers, rowcast.attachments TO rowcast_writer;

GRANT SELECT ON rowcast.presets TO rowcast_writer, rowcast_server, rowcast_reader;

-- What else the server and readers see is in 91_server_privileges.sql.
GRANT SELECT ON rowcast.attachment_triggers, rowcast.attachments TO rowcast_server, rowcast_reader;
GRANT SELECT ON rowcast.capture_errors TO rowcast_server;
GRANT SELECT ON rowcast.secret_patterns TO rowcast_server, rowcast_reader;

GRANT EXECUTE ON FUNCTION rowcast.emit(text, text, jsonb, text, text, text, text) TO rowcast_writer, rowcast_server;
GRANT EXECUTE ON FUNCTION rowcast.current_cursor() TO rowcast_writer;

-- The views above look an attachment's table up.
GRANT EXECUTE ON FUNCTION rowcast.attached_table(text), rowcast.is_capture_schema(oid), rowcast.json_or_null(text), rowcast.source_name(oid)
    TO rowcast_writer, rowcast_server, rowcast_reader;
-- So does the doctor.
GRANT EXECUTE ON FUNCTION rowcast.looks_secret(text), rowcast.secret_names(), rowcast.stale_attachments(), rowcast.producer_tables() TO rowcast_server, rowcast_reader;

-- attach(), all that it is made of, and what the generated functions call: SECURITY INVOKER but for open_capture_schema, so that to
-- be able to call them is to be able to do nothing new.
DO $capture_functions$
DECLARE
    capture_functions CONSTANT text[] := '{
        attach, preview, detach, capture_schema, open_capture_schema, refresh_attachments, refresh_statements, run_statements, plan_attachment,
        attachment_definition, attachment_name, producer_tables, qualified_name, numbered_columns, check_source, check_event_type, register_event_type, check_arguments,
        check_expression, check_lookups, bind_expression, lookups, check_rights, check_row_security, warn_of_lost_parents,
        warn_of_limits, expression_function, expression_parameters, expressions, is_plain, settings_of_capture, key_value, key_expression,
        can_reread, row_functions, read_function, has_virtual_columns, virtual_column, check_virtual_columns, identity_parts, part, described_row, without_organization, outbox_row, concerned_by, events_query, events_function, event_columns, captured, described_group, group_functions, with_group, group_type, is_key_text, plain_groups, paired_groups, grouped_statement, changes_statement, rows_statement,
        outbox_insert, described_statement, plain_statement, plain_update, paired_statement, update_pairs, trigger_function, nested_branch,
        written_now, deleted_now, revoke_statement, trigger_name, trigger_statements, layout, relation_statements,
        indented, indented_but_first, ancestors, hierarchy, attachment_facts, scalar_type, hidden_columns, looks_secret, may_nest, nests_objects, flat_columns, secret_names, secret_needles, may_hold_secrets, without_secrets, without_keys, made_sendable,
        inexact_numbers, exact_number, exact_numbers, may_not_be_json, guarded_jsonb, truncated, capture_truncate,
        word, meaning, percent, document_at, json_number, object_or_null, without_secret_keys, attach_preset, preview_preset, attach_parts, attach_part, attach_arguments, attach_call, wanted_parts,
        preset_path, preset_tables, preset_label, preset_hint, check_preset, check_key, table_named, spliced, filled_in, resolve_preset, fitting_default, words_literal,
        refuse_preset, needed_parts, columns_read, reads_whole_row, tell_unknown_words,
        mark_writer, open_window, open_next_window, window_end, draw_id, draw_in_next_window, ring_doorbell, doorbell_is_on, commits_in_two_phases, max_payload_bytes, captures_replicated}';
    missing text := (SELECT string_agg(f, ', ') FROM unnest(capture_functions) f
                     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_proc WHERE pronamespace = 'rowcast'::regnamespace AND proname = f));
    granted regprocedure;
BEGIN
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'no such function in rowcast: %', missing;
    END IF;
    FOR granted IN
        SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'rowcast'::regnamespace AND p.proname = ANY (capture_functions)
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO rowcast_writer', granted);
    END LOOP;
END
$capture_functions$;
