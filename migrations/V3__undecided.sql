-- What is decided was one number, below which nothing was missing: a single id that an open transaction might own held it down, and every server that
-- started read again what had been read since. Now it is a set, by what is missing from it: ids in here may still come, all others were seen or never will be.
DROP FUNCTION IF EXISTS rowcast.current_cursor();

ALTER TABLE rowcast.settled ADD COLUMN undecided int8multirange CHECK (upper_inf(undecided));
UPDATE rowcast.settled SET undecided = int8multirange(int8range(id + 1, NULL));
ALTER TABLE rowcast.settled ALTER COLUMN undecided SET NOT NULL, DROP COLUMN id;
ALTER TABLE rowcast.settled ADD COLUMN id bigint NOT NULL GENERATED ALWAYS AS (lower(undecided) - 1) STORED;

COMMENT ON TABLE rowcast.settled IS 'A bookmark: which outbox ids are decided, so that servers that start need not read them again.';
COMMENT ON COLUMN rowcast.settled.undecided IS 'The ids that may still come: those of transactions that were open, and all above the last that was seen.';
COMMENT ON COLUMN rowcast.settled.id IS 'The floor: every id up to it is decided. Follows from undecided.';
