-- The server keeps house; whoever runs cron is granted EXECUTE on maintain() by the DBA. What it is made of is for nobody to call.
GRANT EXECUTE ON FUNCTION rowcast.maintain(text) TO rowcast_server;
GRANT SELECT ON rowcast.maintenance, rowcast.outbox_partitions TO rowcast_server, rowcast_reader;
-- Every INSERT into the DEFAULT partition evaluates it, while that is being made an ordinary one.
GRANT EXECUTE ON FUNCTION rowcast.limit_until(bigint, timestamptz) TO rowcast_writer;
