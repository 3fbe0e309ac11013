-- It makes triggers on the app's tables, and the app's writers wait behind whoever waits for a lock.
SET LOCAL lock_timeout = '50ms'
