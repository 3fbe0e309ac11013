-- Which outbox ids a transaction may own, and how it draws them.
--
-- A transaction that wrote outbox rows and stays open could own any id that is missing: every id that others roll back meanwhile would stay undecided
-- for as long. So a writer says beforehand which ids may be its own. A window is two neighbouring blocks of 2^bits ids, and a shared lock whose
-- key is bits and the index of the lower block. It is opened so that the next id of the sequence is in the lower block, which leaves a block at
-- least for what this transaction and others draw. An id that turns out to be beyond, since others have drawn that many, is left to nobody, and another is
-- drawn from a new window: no row ever has an id outside the windows of its transaction.
--
-- The last id of the newest window is noted in the transaction-local setting rowcast.window, which goes with the transaction or the savepoint, as
-- the locks do. A transaction without that note has written nothing of which a later statement would have to know: a trigger function that leaves another
-- note sees to it that this one is there, if only as 0 (48_trigger_function.sql). Ids only rise, so one that was drawn after a window was opened is in it or beyond it.

-- The last id of the newest window; before the first null, or 0.
CREATE OR REPLACE FUNCTION rowcast.window_end() RETURNS bigint
LANGUAGE sql STABLE
RETURN nullif(current_setting('rowcast.window', true), '')::bigint;

-- Opens a window where the newest one has come to its end. A transaction of thousands of statements must not fill the lock table, which would fail
-- the app's writes: after every eight windows they are twice as wide.
CREATE OR REPLACE FUNCTION rowcast.open_next_window() RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    last_id bigint  := rowcast.window_end();
    next_id bigint  := coalesce(pg_sequence_last_value('rowcast.outbox_id_seq'), 0) + 1;
    opened  integer := coalesce(nullif(current_setting('rowcast.windows', true), '')::integer, 1);
    bits    integer := least(8 + opened / 8, 40);
    done    boolean;
BEGIN
    IF next_id <= last_id THEN
        RETURN last_id;
    END IF;
    last_id := ((next_id >> bits) + 2 << bits) - 1;
    done := pg_current_xact_id() IS NOT NULL;
    done := pg_advisory_xact_lock_shared(1919907676 + bits, least(next_id >> bits, 2147483647)::integer) IS NOT NULL;
    done := pg_advisory_xact_lock_shared(1919907683, 1) IS NOT NULL;
    done := set_config('rowcast.window', last_id::text, true) IS NOT NULL;
    done := set_config('rowcast.windows', (opened + 1)::text, true) IS NOT NULL;
    RETURN last_id;
END
$$;

-- Sees to it that the next id of the sequence is in a window of this transaction. Returns the last id of that window.
--
-- Most transactions need one window, and setting plpgsql up for it would cost more than all the rest: so the first window is an expression that the planner
-- inlines. Its note comes before its lock because the sequence can be looked at only once; if the lock fails, the note goes with the statement.
CREATE OR REPLACE FUNCTION rowcast.open_window() RETURNS bigint
LANGUAGE sql VOLATILE
RETURN CASE
    WHEN current_setting('rowcast.window', true) <> '' THEN rowcast.open_next_window()
    WHEN pg_current_xact_id() IS NOT NULL
        AND pg_advisory_xact_lock_shared(1919907684, least((set_config('rowcast.window',
            ((coalesce(pg_sequence_last_value('rowcast.outbox_id_seq'), 0) + 1 | 255) + 256)::text, true)::bigint >> 8) - 1, 2147483647)::integer) IS NOT NULL
        AND pg_advisory_xact_lock_shared(1919907683, 1) IS NOT NULL
        THEN current_setting('rowcast.window')::bigint
END;

-- The id just drawn is the last of the newest window, or beyond it.
CREATE OR REPLACE FUNCTION rowcast.draw_in_next_window() RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    drawn   bigint  := currval('rowcast.outbox_id_seq');
    in_time boolean := drawn <= rowcast.window_end();
    last_id bigint  := rowcast.open_window();
BEGIN
    IF in_time THEN
        RETURN drawn;
    END IF;
    LOOP
        drawn := nextval('rowcast.outbox_id_seq');
        EXIT WHEN drawn <= last_id;
        last_id := rowcast.open_window();
    END LOOP;
    RETURN drawn;
END
$$;

-- Draws an id. window_end is what open_window() has returned in the same statement, or earlier in the transaction: the sequence is named only where there is one, so the window
-- comes first whatever the planner does. An expression that the planner inlines. It is compared with the newest window, which a statement of many rows may have opened since.
CREATE OR REPLACE FUNCTION rowcast.draw_id(window_end bigint) RETURNS bigint
LANGUAGE sql VOLATILE
RETURN CASE
    WHEN nextval(CASE WHEN window_end IS NOT NULL THEN 'rowcast.outbox_id_seq'::regclass END) < current_setting('rowcast.window')::bigint
        THEN currval('rowcast.outbox_id_seq')
    ELSE rowcast.draw_in_next_window()
END;
