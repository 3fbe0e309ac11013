-- Says that a life has been found. Of servers that find it at once one alone does, and none for a life that has been replaced meanwhile.
INSERT INTO rowcast.epochs (epoch, system_identifier, database, timeline, inherited)
SELECT $1, $2, $3, $4, $5 WHERE rowcast.current_timeline() = $4
ON CONFLICT (epoch) DO NOTHING
