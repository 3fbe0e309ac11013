-- Run by the superuser in the migrated template: a DBA's part of setting rowcast up.
GRANT rowcast_server TO rowcast_test_server;
GRANT rowcast_writer TO rowcast_test_writer;
GRANT rowcast_reader TO rowcast_test_reader;

-- The writer owns the app's tables. The app writes to them, and has no rights on rowcast at all.
GRANT CREATE, USAGE ON SCHEMA public TO rowcast_test_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE rowcast_test_writer GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLES TO rowcast_test_app;
ALTER DEFAULT PRIVILEGES FOR ROLE rowcast_test_writer GRANT USAGE ON SEQUENCES TO rowcast_test_app;
