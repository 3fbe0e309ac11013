-- What every session of the server has, whatever its role or database say: no statement of ours takes this long unless something is wrong, and then it is
-- better to say so than to hang; and a connection of the pool may be idle for as long as nobody needs it.
SET statement_timeout = '30s';
SET idle_in_transaction_session_timeout = '30s';
SET idle_session_timeout = 0
