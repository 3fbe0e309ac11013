-- Remembers that every id up to $1 is decided. Servers may report in any order; the floor only rises.
UPDATE rowcast.settled SET id = $1 WHERE id < $1
