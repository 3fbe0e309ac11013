-- The presets with their arguments, in the order of their files.
SELECT preset, part, argument, kind, defaults, description FROM rowcast.presets ORDER BY preset, position
