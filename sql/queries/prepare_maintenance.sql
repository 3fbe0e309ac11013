-- Some steps read or index a whole partition: they take longer than any other statement of ours, and keep nobody waiting.
SET LOCAL statement_timeout = '10min'
