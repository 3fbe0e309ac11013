-- The login roles that tests connect as. Their passwords matter only where the tests are given a server.
-- Roles belong to the cluster, which on a given server may have them from an earlier run.
DO $roles$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['rowcast_test_owner', 'rowcast_test_server', 'rowcast_test_writer', 'rowcast_test_app', 'rowcast_test_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', role, role);
        END IF;
    END LOOP;
END
$roles$;
-- It creates the group roles when it migrates.
ALTER ROLE rowcast_test_owner CREATEROLE;
