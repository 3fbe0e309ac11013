-- Stores a new ticket.
SELECT rowcast.issue_ticket($1, $2, $3) AS first_use_before
