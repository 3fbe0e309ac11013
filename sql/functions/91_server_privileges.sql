-- What the server and readers (DBAs, and apps that load and then stream) may do with the outbox. The server only reads, but for what is settled and the
-- lives of the database that it finds.
GRANT SELECT
    ON rowcast.outbox, rowcast.outbox_id_seq, rowcast.settled, rowcast.epochs, rowcast.settings, rowcast.schema_history,
       rowcast.commands
    TO rowcast_server;
GRANT UPDATE (undecided) ON rowcast.settled TO rowcast_server;
GRANT INSERT (epoch, system_identifier, database, timeline, inherited) ON rowcast.epochs TO rowcast_server;
GRANT EXECUTE ON FUNCTION rowcast.current_timeline(), rowcast.disconnect(text) TO rowcast_server;

GRANT SELECT
    ON rowcast.outbox, rowcast.outbox_id_seq, rowcast.settled, rowcast.epochs, rowcast.settings, rowcast.schema_history,
       rowcast.capture_errors, rowcast.commands
    TO rowcast_reader;
GRANT EXECUTE ON FUNCTION rowcast.current_cursor() TO rowcast_server, rowcast_reader;

-- Who is connected where is for servers to write, and for readers to look at.
GRANT SELECT, INSERT, UPDATE, DELETE ON rowcast.servers, rowcast.connections, rowcast.rates TO rowcast_server;
GRANT SELECT ON rowcast.servers, rowcast.connections TO rowcast_reader;
