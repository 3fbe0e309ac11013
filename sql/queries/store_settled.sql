-- Remembers that every id up to $1 is decided. Servers may report in any order; the floor only rises. Not in another life of the database than timeline $2,
-- to which a pooler may have brought us since: there the same ids are still to come.
UPDATE rowcast.settled SET id = $1 WHERE id < $1 AND rowcast.current_timeline() = $2
