-- What the server and readers (DBAs, and apps that load and then stream) may do with the outbox. The server only reads, but for what is settled and the
-- lives of the database that it finds.
GRANT SELECT
    ON rowcast.outbox, rowcast.outbox_id_seq, rowcast.settled, rowcast.epochs, rowcast.settings, rowcast.schema_history,
       rowcast.commands
    TO rowcast_server;
GRANT UPDATE (undecided) ON rowcast.settled TO rowcast_server;
GRANT INSERT (epoch, system_identifier, database, timeline, inherited) ON rowcast.epochs TO rowcast_server;
GRANT EXECUTE
    ON FUNCTION rowcast.current_timeline(), rowcast.disconnect(text), rowcast.read_batch(bigint, bigint[], bigint[], bigint, text, text[], timestamptz)
    TO rowcast_server;
GRANT EXECUTE ON FUNCTION rowcast.issue_ticket(bytea, text, timestamptz), rowcast.redeem_ticket(bytea, boolean) TO rowcast_server;

GRANT SELECT
    ON rowcast.outbox, rowcast.outbox_id_seq, rowcast.settled, rowcast.epochs, rowcast.settings, rowcast.schema_history,
       rowcast.capture_errors, rowcast.commands
    TO rowcast_reader;
-- Who has tickets, but not which: a hash is of no use, and nobody needs one.
GRANT SELECT (user_id, expires_at, issued_at, used_at) ON rowcast.tickets TO rowcast_reader;
GRANT EXECUTE ON FUNCTION rowcast.current_cursor() TO rowcast_server, rowcast_reader;

-- Who is connected where is the servers' own business; readers may look.
GRANT SELECT, INSERT, UPDATE, DELETE ON rowcast.servers, rowcast.connections, rowcast.rates, rowcast.duties TO rowcast_server;
GRANT SELECT ON rowcast.live_connections TO rowcast_server, rowcast_reader;
GRANT SELECT ON rowcast.servers, rowcast.connections, rowcast.duties TO rowcast_reader;
GRANT EXECUTE
    ON FUNCTION rowcast.take_turn(text, text, integer), rowcast.enter_connections(text, text[], jsonb, integer, integer),
       rowcast.keep_server(text, interval, jsonb, jsonb), rowcast.forget_server(text),
       rowcast.ask_connection(text, text, jsonb), rowcast.answer_request(text, jsonb), rowcast.take_duty(text, text)
    TO rowcast_server;

-- Health is measured by the server, and looked at by readers.
GRANT SELECT, INSERT, UPDATE ON rowcast.health_checks TO rowcast_server;
GRANT SELECT ON rowcast.health TO rowcast_server, rowcast_reader;
GRANT SELECT ON rowcast.health_checks TO rowcast_reader;
GRANT EXECUTE ON FUNCTION rowcast.record_health(text, text, jsonb) TO rowcast_server;

GRANT EXECUTE ON FUNCTION rowcast.highest_id() TO rowcast_server, rowcast_reader;

-- The server measures chatbots: it reads the app's messages in rowcast.messages (granted by use_messages) and nothing behind it.
GRANT SELECT ON rowcast.model_prices, rowcast.chatbot_metrics, rowcast.daily_costs TO rowcast_server, rowcast_reader;
GRANT INSERT ON rowcast.chatbot_metrics TO rowcast_server;
GRANT INSERT, UPDATE, DELETE ON rowcast.daily_costs TO rowcast_server;
GRANT EXECUTE
    ON FUNCTION rowcast.measure(interval, text), rowcast.measured(interval, timestamptz), rowcast.trend(numeric, numeric),
       rowcast.is_series(text, text), rowcast.priced_messages(timestamptz, timestamptz), rowcast.uncountable_messages(timestamptz, timestamptz), rowcast.counted_costs(date),
       rowcast.store_costs(date, rowcast.daily_costs[]), rowcast.count_costs(date), rowcast.days_to_count(), rowcast.cost_time_zone()
    TO rowcast_server;
-- What users do with their streams is told by the servers.
GRANT SELECT, INSERT ON rowcast.activity TO rowcast_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON rowcast.attendance TO rowcast_server;
GRANT SELECT ON rowcast.activity, rowcast.attendance TO rowcast_reader;
GRANT EXECUTE ON FUNCTION rowcast.tell_activity(text, jsonb, jsonb), rowcast.tell_departures(integer) TO rowcast_server;
-- Rules are the DBA's, and what comes of them is written by the function alone.
GRANT EXECUTE ON FUNCTION rowcast.evaluate_alerts(timestamptz) TO rowcast_server;
GRANT SELECT ON rowcast.alert_rules, rowcast.alert_states TO rowcast_server, rowcast_reader;
GRANT SELECT ON rowcast.alerts, rowcast.metric_samples, rowcast.alerting TO rowcast_reader;
-- What Sentry has told. The server has one way to write it, which knows what is new.
GRANT SELECT ON rowcast.errors, rowcast.sentry_deliveries TO rowcast_reader;
GRANT EXECUTE ON FUNCTION rowcast.record_error(bytea, jsonb) TO rowcast_server;
