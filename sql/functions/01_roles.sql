-- The three group roles that rowcast grants to. They cannot log in; a DBA puts login roles into them.
--
--   rowcast_server   what `rowcast serve` connects as: reads the outbox and the access tables, keeps house
--   rowcast_writer   owners of attached tables, and whoever may call rowcast.emit()
--   rowcast_reader   people and tools that look at the outbox
--
-- Roles belong to the cluster, not to the database: two databases may be migrated at once, so "it exists by now" is a
-- success. A migrating role that may not create roles is told what a superuser has to run, once for the cluster.
DO $roles$
DECLARE
    group_role text;
BEGIN
    FOREACH group_role IN ARRAY ARRAY['rowcast_server', 'rowcast_writer', 'rowcast_reader'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = group_role);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', group_role);
        EXCEPTION
            -- Another database's migration was faster; which of the two errors it is depends on how much faster.
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role % does not exist, and % may not create it', group_role, current_user
                    USING ERRCODE = 'insufficient_privilege',
                          HINT = format('Let a superuser run this once, then migrate again: '
                                        'CREATE ROLE rowcast_server NOLOGIN; CREATE ROLE rowcast_writer NOLOGIN; '
                                        'CREATE ROLE rowcast_reader NOLOGIN; '
                                        'GRANT rowcast_server, rowcast_writer, rowcast_reader TO %I;', current_user);
        END;
    END LOOP;

    -- Whoever migrates usually owns the app's tables too, and then has to be in rowcast_writer to attach them.
    FOREACH group_role IN ARRAY ARRAY['rowcast_server', 'rowcast_writer', 'rowcast_reader'] LOOP
        CONTINUE WHEN pg_catalog.pg_has_role(current_user, group_role, 'USAGE');
        BEGIN
            EXECUTE format('GRANT %I TO %I', group_role, current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE '% is not in %, and may not put itself there', current_user, group_role
                    USING HINT = format('If it is to attach tables or to serve, let a superuser run: GRANT %I TO %I;', group_role, current_user);
            -- Another migration of the same role is granting the same at this moment (unique_violation or, from the
            -- catalogs themselves, "tuple concurrently updated").
            WHEN unique_violation OR internal_error THEN NULL;
        END;
    END LOOP;
END
$roles$;
