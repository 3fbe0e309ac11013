-- What the server and readers (DBAs, and apps that load and then stream) may do with the outbox. The server only reads, but for what is settled.
GRANT SELECT
    ON rowcast.outbox, rowcast.outbox_id_seq, rowcast.settled, rowcast.epochs, rowcast.settings, rowcast.schema_history
    TO rowcast_server;
GRANT UPDATE (undecided) ON rowcast.settled TO rowcast_server;

GRANT SELECT
    ON rowcast.outbox, rowcast.outbox_id_seq, rowcast.settled, rowcast.epochs, rowcast.settings, rowcast.schema_history,
       rowcast.capture_errors
    TO rowcast_reader;
GRANT EXECUTE ON FUNCTION rowcast.current_cursor() TO rowcast_server, rowcast_reader;
