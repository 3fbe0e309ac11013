-- The states of a component's figures ($1), as they were written down last.
SELECT metric, status, since, checked_at FROM rowcast.health WHERE component = $1
