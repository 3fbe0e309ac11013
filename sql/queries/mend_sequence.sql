-- Moves the sequence of ids past the rows that are there, where a restore has left it behind them. Writers wait for it, so that none draws an id meanwhile; none could
-- have written either. Not for long: it gives up if it cannot have the lock.
DO $$
BEGIN
    IF rowcast.highest_id() > (SELECT last_value FROM rowcast.outbox_id_seq) THEN
        SET LOCAL lock_timeout = '5s';
        LOCK TABLE rowcast.outbox IN SHARE ROW EXCLUSIVE MODE;
        PERFORM setval('rowcast.outbox_id_seq', greatest(rowcast.highest_id(), (SELECT last_value FROM rowcast.outbox_id_seq)));
    END IF;
END
$$
