-- Which life of the database this is, how far ids have been given out (last_value of an untouched sequence is the first that it will give), and
-- the highest that is there: of all that can be seen the ids were given out before the sequence is looked at.
SELECT
    (SELECT c.system_identifier FROM pg_control_system() AS c),
    (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()) AS database,
    rowcast.current_timeline() AS timeline,
    (SELECT q.last_value - (NOT q.is_called)::integer FROM rowcast.outbox_id_seq AS q) AS drawn,
    rowcast.highest_id() AS highest
