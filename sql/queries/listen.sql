-- The session that is woken has nothing to do until it is: being idle must not end it.
SET idle_session_timeout = 0;
LISTEN rowcast
