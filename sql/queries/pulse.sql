-- A sign of life, for listeners alone: real notifications have no payload. Sent as writers send theirs, from another session, since what a
-- session tells itself arrives with the answer, even where nothing else would.
SELECT pg_notify('rowcast', 'pulse')
