-- What every session of the server has, whatever its role or database say: no statement of ours takes this long unless something is wrong, and then it is
-- better to say so than to hang; and being idle is what connections in a pool are for, and those that wait for notifications.
SET statement_timeout = '30s';
SET idle_in_transaction_session_timeout = '30s';
SET idle_session_timeout = 0
