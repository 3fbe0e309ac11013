-- Watches one table of the adopter's for use_grants(): makes up to three functions, owned by the table's owner, and the triggers.
--
--   table_<n>_user(r)   the user concerned by a row; absent when anybody may be
--   table_<n>_image(r)  what of a row matters, as text: any type has that, not every type has equality
--   table_<n>()         the trigger function
--
-- The first two are bound (BEGIN ATOMIC): renaming tables and columns changes nothing, and Postgres refuses to drop what they need.
-- The trigger function is text, so it names nothing of the adopter's. It is SECURITY DEFINER because whoever writes the table has no
-- rights on rowcast, and owned by the table's owner because it runs what that owner could have planted (a cast of a type of theirs).
-- The owner gets CREATE on the schema only for as long as it takes to become the functions' owner.
CREATE OR REPLACE FUNCTION rowcast.watch_access(number integer, relation regclass, reason text, user_expression text, columns text[])
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    watch       CONSTANT text := 'rowcast_watch.table_' || number;
    table_owner CONSTANT regrole := (SELECT relowner FROM pg_class WHERE oid = relation);
    may_create  CONSTANT boolean := has_schema_privilege(table_owner, 'rowcast_watch', 'CREATE');
    user_call   text := 'NULL::text';
    user_function regprocedure;
    made          regprocedure;
BEGIN
    IF user_expression IS NOT NULL THEN
        EXECUTE format(
            E'CREATE FUNCTION %s_user(r %s) RETURNS text LANGUAGE sql STABLE BEGIN ATOMIC SELECT CAST(%s\nAS text); END',
            watch, relation, user_expression
        );
        user_call := watch || '_user(r.*)';
        user_function := format('%s_user(%s)', watch, relation);
    END IF;
    EXECUTE format(
        'CREATE FUNCTION %s_image(r %s) RETURNS text LANGUAGE sql STABLE BEGIN ATOMIC SELECT CAST(%s AS text); END',
        watch, relation, rowcast.watched_image(relation, columns, user_function)
    );
    EXECUTE format($definition$
        CREATE FUNCTION %1$s() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
        DECLARE
            user_ids text[];
            reason   text := %2$L;
        BEGIN
            -- Cheap, and enough for the row that every request touches: an image on one side only is a change.
            IF TG_OP = 'UPDATE' THEN
                PERFORM
                FROM (
                    SELECT %1$s_image(r.*) AS image, 'old' AS side FROM rowcast_old r
                    UNION ALL
                    SELECT %1$s_image(r.*), 'new' FROM rowcast_new r
                ) both_sides
                GROUP BY image HAVING min(side) = max(side)
                LIMIT 1;
                IF NOT FOUND THEN
                    RETURN NULL;
                END IF;
            END IF;
            BEGIN
                CASE TG_OP
                WHEN 'INSERT' THEN
                    SELECT array_agg(DISTINCT %3$s) INTO user_ids FROM rowcast_new r;
                WHEN 'DELETE' THEN
                    SELECT array_agg(DISTINCT %3$s) INTO user_ids FROM rowcast_old r;
                WHEN 'UPDATE' THEN
                    SELECT array_agg(DISTINCT user_id) INTO user_ids
                    FROM (
                        SELECT unnest(array_agg(user_id)) AS user_id
                        FROM (
                            SELECT %1$s_image(r.*) AS image, 'old' AS side, %3$s AS user_id FROM rowcast_old r
                            UNION ALL
                            SELECT %1$s_image(r.*), 'new', %3$s FROM rowcast_new r
                        ) both_sides
                        GROUP BY image HAVING min(side) = max(side)
                    ) changed;
                ELSE
                    user_ids := ARRAY[NULL::text];
                END CASE;
            EXCEPTION WHEN OTHERS THEN
                -- The app's write must not fail for our sake, and "anybody" is never wrong, only slower.
                user_ids := ARRAY[NULL::text];
                reason := reason || ': ' || SQLERRM;
            END;
            PERFORM rowcast.announce_access_change(user_ids, reason);
            RETURN NULL;
        END
        $body$
    $definition$, watch, reason, user_call);

    IF NOT may_create THEN
        EXECUTE format('GRANT CREATE ON SCHEMA rowcast_watch TO %s', table_owner);
    END IF;
    FOR made IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'rowcast_watch'::regnamespace AND 'rowcast_watch.' || p.proname IN (watch, watch || '_user', watch || '_image')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made);
        EXECUTE format('ALTER FUNCTION %s OWNER TO %s', made, table_owner);
    END LOOP;
    IF NOT may_create THEN
        EXECUTE format('REVOKE CREATE ON SCHEMA rowcast_watch FROM %s', table_owner);
    END IF;
    PERFORM rowcast.create_access_triggers(relation, (watch || '()')::regprocedure);
END
$$;

-- Takes back what rowcast.watch_access() made, for every table of the adopter's.
-- The catalogues say what there is, so a table or a database that was restored or renamed meanwhile is no obstacle.
CREATE OR REPLACE FUNCTION rowcast.unwatch_access() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT t.tgname, t.tgrelid::regclass AS relation
        FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE p.pronamespace = 'rowcast_watch'::regnamespace AND NOT t.tgisinternal
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', made.tgname, made.relation);
    END LOOP;
    FOR made IN
        SELECT p.oid::regprocedure AS signature
        FROM pg_proc p
        WHERE p.pronamespace = 'rowcast_watch'::regnamespace
    LOOP
        EXECUTE format('DROP FUNCTION %s', made.signature);
    END LOOP;
END
$$;
