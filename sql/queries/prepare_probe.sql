-- Somebody else's query, which is to look and not to touch, and not for long.
SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = {milliseconds}
